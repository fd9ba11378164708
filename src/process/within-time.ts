/**
 * Gives the result of the work or, when the work takes longer, what `late` gives or throws. The work is not stopped,
 * but its later result is ignored.
 * @throws the error of the work, when it fails in time; else the error of `late`
 */
export async function withinTime<T, L>(work: Promise<T>, milliseconds: number, late: () => L): Promise<T | L> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, milliseconds);
  }).then(late);
  try {
    return await Promise.race([work, timeout]);
  } finally {
    clearTimeout(timer);
  }
}
