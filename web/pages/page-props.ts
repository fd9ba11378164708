/** The parts that a page gets from its address, e.g. `{ id }` of `/jobs/:id`. */
export interface PageProps {
  readonly params: Readonly<Record<string, string>>;
}
