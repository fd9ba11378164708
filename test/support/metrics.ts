/** The value of each sample that a process shows: `name{label="value"}` to a number. */
export async function readMetrics(address: string): Promise<Map<string, number>> {
  const text = await (await fetch(address)).text();
  const samples = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(
    samples.map((line) => {
      const end = line.lastIndexOf(' ');
      return [line.slice(0, end), Number(line.slice(end + 1))];
    }),
  );
}

/** The names of all metrics that a process declares, also of those without a sample. */
export async function metricNames(address: string): Promise<Set<string>> {
  const text = await (await fetch(address)).text();
  return new Set([...text.matchAll(/^# TYPE (\S+) /gm)].map(([, name]) => name!));
}
