/**
 * Compiles the kernels (*.as, AssemblyScript) into WebAssembly and writes each as base64 into <kernel>.generated.ts. So
 * it loads in the same way from source and from the build. Run: node src/risk/shap/kernels/build.mjs [--check]
 * With --check it writes nothing, and exits 1 when a generated file differs from the result of compiling its source.
 */
import { Buffer } from 'node:buffer';
import { readFile, readdir, writeFile } from 'node:fs/promises';
import { URL, fileURLToPath } from 'node:url';
import asc from 'assemblyscript/asc';
import binaryen from 'assemblyscript/binaryen';

const folder = fileURLToPath(new URL('.', import.meta.url));
// wasm-opt unrolls the loops over quadrature nodes only with these flags. The stub runtime is never called and is left
// out.
const flags = [
  '-O3',
  '--converge',
  '--noAssert',
  '--runtime',
  'stub',
  '--importMemory',
  '--enable',
  'simd',
  '--outFile',
  'kernel.wasm',
];

/** @returns the WebAssembly module of <name>.as */
export async function compile(name) {
  const source = await readFile(`${folder}${name}.as`, 'utf8');
  let binary;
  const { error, stderr } = await asc.main(['kernel.ts', ...flags], {
    readFile: (file) => (file === 'kernel.ts' ? source : null),
    writeFile: (_file, contents) => {
      binary = contents;
    },
    listFiles: () => [],
  });
  if (error) throw new Error(`${name}.as does not compile: ${stderr.toString()}`);
  return binary;
}

/**
 * Adds a call of `env.load_ptr` before each load of a kernel, and of `env.store_ptr` before each store. Nothing else
 * changes, so the tests check every access of the very program that is shipped.
 */
export function instrument(binary) {
  const program = binaryen.readBinary(binary);
  program.setFeatures(binaryen.Features.SIMD128 | binaryen.Features.BulkMemory | binaryen.Features.SignExt);
  program.runPasses(['instrument-memory']);
  try {
    return program.emitBinary();
  } finally {
    program.dispose();
  }
}

/** @returns the text of <name>.generated.ts */
export async function generate(name) {
  const binary = await compile(name);
  const base64 = Buffer.from(binary)
    .toString('base64')
    .replace(/.{1,140}/g, "\n  + '$&'");
  return (
    `// Generated from ${name}.as by build.mjs. Do not edit.\n\n/** The WebAssembly module, ${binary.length} ` +
    `bytes, as base64. */\nexport const kernel = ''${base64};\n`
  );
}

export async function kernelNames() {
  return (await readdir(folder)).filter((file) => file.endsWith('.as')).map((file) => file.slice(0, -'.as'.length));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const name of await kernelNames()) {
    const file = `${folder}${name}.generated.ts`;
    const text = await generate(name);
    const current = await readFile(file, 'utf8').catch(() => '');
    if (current === text) continue;
    if (process.argv.includes('--check')) {
      console.error(
        `${name}.generated.ts differs from the compiled ${name}.as; run node src/risk/shap/kernels/build.mjs`,
      );
      process.exitCode = 1;
    } else {
      await writeFile(file, text);
      console.log(`wrote ${name}.generated.ts (${text.length} characters)`);
    }
  }
}
