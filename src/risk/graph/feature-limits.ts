/**
 * The limits that a graph sets to the values of its input features, and the texts that it knows. Operators report them
 * while the graph is followed.
 */
export class FeatureLimits {
  /** Features for which ONNX Runtime must not get NaN, by the operator that refuses it. */
  readonly present = new Map<number, string>();
  /** Features for which ONNX Runtime must not get an infinity either. */
  readonly finite = new Set<number>();
  /** The only values that a feature may have. ONNX Runtime fails on others. */
  readonly allowed = new Map<number, readonly number[]>();
  private readonly positions = new Map<string, number>();

  /** The texts that the graph compares with. A feature's text is an index into them; one beyond is any other text. */
  get texts(): readonly string[] {
    return [...this.positions.keys()];
  }

  /** Returns the number that stands for a text. */
  textIndex(text: string): number {
    const known = this.positions.get(text);
    if (known !== undefined) return known;
    this.positions.set(text, this.positions.size);
    return this.positions.size - 1;
  }

  /** Limits a feature to values, in addition to earlier limits. */
  allow(feature: number, values: readonly number[]): void {
    const earlier = this.allowed.get(feature);
    this.allowed.set(feature, earlier ? earlier.filter((value) => values.includes(value)) : values);
  }
}
