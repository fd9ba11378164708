/** Writes a kernel's data structures one after another into a WebAssembly memory that grows. They are little-endian. */
export class WasmMemory {
  protected readonly memory = new WebAssembly.Memory({ initial: 1 });
  private view = new DataView(this.memory.buffer);
  /** Address of the first free byte. The kernels rely on an unused memory below 1024. */
  private end = 1024;

  /** Loads a module into this memory. The type parameter is unchecked: the caller must name its functions correctly. */
  instantiate<Functions>(base64: string): Functions {
    return new WebAssembly.Instance(new WebAssembly.Module(Buffer.from(base64, 'base64')), {
      env: { memory: this.memory },
    }).exports as Functions;
  }

  get byteLength(): number {
    return this.memory.buffer.byteLength;
  }

  /** Reserves memory. @returns the address of `bytes` bytes of zeros, aligned to 16 */
  reserve(bytes: number): number {
    const address = Math.ceil(this.end / 16) * 16;
    this.end = address + bytes;
    const missing = this.end - this.memory.buffer.byteLength;
    if (missing > 0) {
      this.memory.grow(Math.ceil(missing / 65_536));
      this.view = new DataView(this.memory.buffer);
    }
    return address;
  }

  setFloat64(address: number, value: number): void {
    this.view.setFloat64(address, value, true);
  }

  setUint32(address: number, value: number): void {
    this.view.setUint32(address, value, true);
  }

  /** Writes numbers of 8 bytes. @returns their address */
  writeFloat64(values: ArrayLike<number>): number {
    const address = this.reserve(values.length * 8);
    this.float64(address, values.length).set(values);
    return address;
  }

  /** Writes integers of 4 bytes. @returns their address */
  writeUint32(values: ArrayLike<number>): number {
    const address = this.reserve(values.length * 4);
    this.uint32(address, values.length).set(values);
    return address;
  }

  /** Returns a view of numbers, valid until the next `reserve`. */
  float64(address: number, length: number): Float64Array {
    return new Float64Array(this.memory.buffer, address, length);
  }

  /** Returns a view of integers, valid until the next `reserve`. */
  uint32(address: number, length: number): Uint32Array {
    return new Uint32Array(this.memory.buffer, address, length);
  }
}
