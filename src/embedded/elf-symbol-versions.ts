/**
 * Lowers the glibc version that an ELF64 little-endian shared object needs. This works when every newer symbol is a
 * variant of one that glibc has had since its first release on the architecture.
 *
 * 1. It copies the object and reads its sections.
 * 2. In the version-needs table, each entry of the newer version becomes an entry of the base version.
 * 3. In the dynamic symbol table, each symbol of the newer version gets its older name and the base version.
 *
 * No code and no string moves.
 * Layout: System V gABI, chapter 5 (https://refspecs.linuxfoundation.org/elf/gabi4+/ch5.dynamic.html), symbol versions:
 * LSB Core, chapter 10.7
 * (https://refspecs.linuxfoundation.org/LSB_5.0.0/LSB-Core-generic/LSB-Core-generic/symversion.html).
 */

const sectionType = { dynamicSymbols: 11, versionNeeds: 0x6ffffffe, symbolVersions: 0x6fffffff } as const;
const symbolSize = 24;

/** glibc 2.38 added these names for C23's binary literals (`0b1`); without the prefix they are the C99 functions. */
const c23Prefix = '__isoc23_';
const c23Functions = new Set(
  ['strtol', 'strtoll', 'strtoul', 'strtoull', 'sscanf', 'fscanf'].map((name) => c23Prefix + name),
);
/** glibc 2.38 removed the SVID error-handling wrapper of `fmod`. The older symbol has it and computes the same. */
const renamedOnly = new Set(['fmod']);

interface Section {
  type: number;
  offset: number;
  size: number;
  link: number;
  count: number;
}

/** One `Elfxx_Vernaux` record: a version of a library that the object needs. `at` is its offset in the file. */
interface NeededVersion {
  at: number;
  hash: number;
  nameOffset: number;
  index: number;
  name: string;
  library: string;
}

/** Thrown when this module cannot lower the object. Its message is a reason that the caller puts into a sentence. */
export class UnsupportedObjectError extends Error {
  override readonly name = 'UnsupportedObjectError';
}

/**
 * Makes a copy of `object` that needs no symbol of `version`.
 *
 * @param object the whole file
 * @param version the version to remove, e.g. `GLIBC_2.38`
 * @param baseVersion the version of the architecture's first glibc: `GLIBC_2.2.5` on x86-64, `GLIBC_2.17` on AArch64
 * @throws UnsupportedObjectError when the object needs a symbol of `version` that has no older equivalent
 */
export function withoutVersion(object: Buffer, version: string, baseVersion: string): Buffer {
  const copy = Buffer.from(object);
  const sections = readSections(copy);
  const needed = readNeededVersions(copy, sections);
  const replacements = new Map<number, NeededVersion>();
  for (const newer of needed.filter(({ name }) => name === version)) {
    const base = needed.find(({ name, library }) => name === baseVersion && library === newer.library);
    if (!base)
      throw new UnsupportedObjectError(`the object needs ${version} of ${newer.library}, but not ${baseVersion}`);
    replacements.set(newer.index, base);
    copy.writeUInt32LE(base.hash, newer.at);
    copy.writeUInt32LE(base.nameOffset, newer.at + 8);
  }
  renameSymbols(copy, sections, replacements);
  return copy;
}

/** The versions of `library` that `object` needs, e.g. `['GLIBC_2.17', 'GLIBC_2.34']`. */
export function neededVersions(object: Buffer, library = /^(libc|libm)\.so\.6$/): string[] {
  return readNeededVersions(object, readSections(object))
    .filter((needed) => library.test(needed.library))
    .map(({ name }) => name);
}

function renameSymbols(object: Buffer, sections: Section[], replacements: Map<number, NeededVersion>): void {
  const symbols = sectionOf(sections, sectionType.dynamicSymbols);
  const versions = sectionOf(sections, sectionType.symbolVersions);
  const strings = sections[symbols.link]!;
  for (let i = 0; i < symbols.size / symbolSize; i++) {
    const base = replacements.get(object.readUInt16LE(versions.offset + 2 * i));
    if (!base) continue;
    const at = symbols.offset + i * symbolSize;
    const nameOffset = object.readUInt32LE(at);
    const name = readString(object, strings, nameOffset);
    if (!c23Functions.has(name) && !renamedOnly.has(name))
      throw new UnsupportedObjectError(`${name} has no older equivalent`);
    if (c23Functions.has(name)) object.writeUInt32LE(nameOffset + c23Prefix.length, at);
    object.writeUInt16LE(base.index, versions.offset + 2 * i);
  }
}

function readSections(object: Buffer): Section[] {
  const elf64LittleEndian =
    object.length > 64 && object.readUInt32BE(0) === 0x7f454c46 && object[4] === 2 && object[5] === 1;
  if (!elf64LittleEndian) throw new UnsupportedObjectError('it is not a 64-bit little-endian ELF file');
  const tableOffset = Number(object.readBigUInt64LE(0x28));
  const entrySize = object.readUInt16LE(0x3a);
  return Array.from({ length: object.readUInt16LE(0x3c) }, (_, i) => {
    const at = tableOffset + i * entrySize;
    return {
      type: object.readUInt32LE(at + 4),
      offset: Number(object.readBigUInt64LE(at + 24)),
      size: Number(object.readBigUInt64LE(at + 32)),
      link: object.readUInt32LE(at + 40),
      count: object.readUInt32LE(at + 44),
    };
  });
}

function readNeededVersions(object: Buffer, sections: Section[]): NeededVersion[] {
  const section = sectionOf(sections, sectionType.versionNeeds);
  const strings = sections[section.link]!;
  const needed: NeededVersion[] = [];
  let library = section.offset;
  for (let i = 0; i < section.count; i++) {
    let at = library + object.readUInt32LE(library + 8);
    for (let j = 0; j < object.readUInt16LE(library + 2); j++) {
      const nameOffset = object.readUInt32LE(at + 8);
      needed.push({
        at,
        nameOffset,
        hash: object.readUInt32LE(at),
        index: object.readUInt16LE(at + 6),
        name: readString(object, strings, nameOffset),
        library: readString(object, strings, object.readUInt32LE(library + 4)),
      });
      at += object.readUInt32LE(at + 12);
    }
    library += object.readUInt32LE(library + 12);
  }
  return needed;
}

function sectionOf(sections: Section[], type: number): Section {
  const section = sections.find((candidate) => candidate.type === type);
  if (!section) throw new UnsupportedObjectError(`it has no section of type 0x${type.toString(16)}`);
  return section;
}

function readString(object: Buffer, strings: Section, offset: number): string {
  const start = strings.offset + offset;
  return object.toString('latin1', start, object.indexOf(0, start));
}
