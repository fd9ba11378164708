import { InvalidArgumentError } from 'commander';

/** Parser of a whole number within bounds, for commander. */
export const wholeNumber = (minimum: number, maximum: number) => (text: string): number => {
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < minimum || value > maximum) throw new InvalidArgumentError(`Give a whole number from ${minimum} to ${maximum}.`);
  return value;
};
