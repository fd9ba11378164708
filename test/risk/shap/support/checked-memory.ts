import { WasmMemory } from '../../../../src/risk/shap/wasm-memory.js';

interface Build {
  instrument(binary: Uint8Array): Uint8Array;
}

/** Free bytes after each reserved piece. A walk that leaves its piece step by step lands here first. */
const gap = 4096;

/** Memory of a kernel that checks every load and store: it must lie inside one reserved piece. */
export class CheckedMemory extends WasmMemory {
  private readonly starts: number[] = [];
  private readonly ends: number[] = [];
  /** The number of checked accesses. A test that checks nothing would pass. */
  accesses = 0;

  override reserve(bytes: number): number {
    const address = super.reserve(bytes);
    super.reserve(gap);
    this.starts.push(address);
    this.ends.push(address + bytes);
    return address;
  }

  override instantiate<Functions>(base64: string): Functions {
    const access = (_site: number, bytes: number, offset: number, pointer: number): number => {
      this.check((pointer >>> 0) + offset, bytes);
      return pointer;
    };
    // The pass also reports values, and growth of the memory. These are left as they are.
    const same = (_site: number, value: unknown): unknown => value;
    const values = ['i32', 'i64', 'f32', 'f64'].flatMap((type) => [`load_val_${type}`, `store_val_${type}`]);
    const unchanged = ['memory_grow_pre', 'memory_grow_post', ...values].map((name) => [name, same]);
    return new WebAssembly.Instance(checked(base64), {
      env: { memory: this.memory, load_ptr: access, store_ptr: access, ...Object.fromEntries(unchanged) },
    }).exports as Functions;
  }

  private check(address: number, bytes: number): void {
    this.accesses++;
    let [low, high] = [0, this.starts.length];
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (this.starts[middle]! <= address) low = middle;
      else high = middle;
    }
    if (address < this.starts[low]! || address + bytes > this.ends[low]!)
      throw new RangeError(`The kernel touches ${bytes} bytes at ${address}, which are not reserved.`);
  }
}

const url = new URL('../../../../src/risk/shap/kernels/build.mjs', import.meta.url);
const { instrument } = (await import(url.href)) as Build;

const modules = new Map<string, WebAssembly.Module>();

/** Makes the variant of a kernel that reports its accesses. */
function checked(base64: string): WebAssembly.Module {
  const known = modules.get(base64);
  if (known) return known;
  const made = new WebAssembly.Module(instrument(Buffer.from(base64, 'base64')));
  modules.set(base64, made);
  return made;
}
