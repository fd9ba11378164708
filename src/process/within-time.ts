/**
 * What the work comes to or, when it takes longer, what `late` gives or throws instead. The work is not stopped: how it ends
 * after that is heard by nobody.
 * @throws what the work throws in time
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
