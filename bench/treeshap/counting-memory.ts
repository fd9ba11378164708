import { WasmMemory } from '../../src/risk/shap/wasm-memory.js';

const lineBits = 6;

/** A cache of lines of 64 bytes that forgets the line that was used least recently in its set. */
class Cache {
  misses = 0;
  private readonly lines: Int32Array;

  constructor(
    private readonly sets: number,
    private readonly ways: number,
  ) {
    this.lines = new Int32Array(sets * ways).fill(-1);
  }

  /** @returns whether the line was there */
  touch(line: number): boolean {
    const { lines, ways } = this;
    const start = (line % this.sets) * ways;
    let place = start;
    const end = start + ways - 1;
    while (place < end && lines[place] !== line) place++;
    const hit = lines[place] === line;
    if (!hit) this.misses++;
    for (; place > start; place--) lines[place] = lines[place - 1]!;
    lines[start] = line;
    return hit;
  }
}

interface Build {
  instrument(binary: Uint8Array): Uint8Array;
}
const url = new URL('../../src/risk/shap/kernels/build.mjs', import.meta.url);
const { instrument } = (await import(url.href)) as Build;

/** Memory of a kernel that counts every load and store, and the misses in caches of 32 KiB and 512 KiB with 8 ways. */
export class CountingMemory extends WasmMemory {
  accesses = 0;
  bytes = 0;
  readonly first = new Cache(64, 8);
  readonly second = new Cache(1024, 8);

  override instantiate<Functions>(base64: string): Functions {
    const access = (_site: number, bytes: number, offset: number, pointer: number): number => {
      this.accesses++;
      this.bytes += bytes;
      const address = (pointer >>> 0) + offset;
      const last = (address + bytes - 1) >>> lineBits;
      for (let line = address >>> lineBits; line <= last; line++) if (!this.first.touch(line)) this.second.touch(line);
      return pointer;
    };
    const same = (_site: number, value: unknown): unknown => value;
    const values = ['i32', 'i64', 'f32', 'f64'].flatMap((type) => [`load_val_${type}`, `store_val_${type}`]);
    const unchanged = ['memory_grow_pre', 'memory_grow_post', ...values].map((name) => [name, same]);
    return new WebAssembly.Instance(new WebAssembly.Module(instrument(Buffer.from(base64, 'base64'))), {
      env: { memory: this.memory, load_ptr: access, store_ptr: access, ...Object.fromEntries(unchanged) },
    }).exports as Functions;
  }
}
