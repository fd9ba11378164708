/*
 * Texts of objects that do not change: a patient is written once, and not for each list that shows it. The steps:
 *
 *   1. The plan tells which of its objects have only unchanging fields, and which checks of permissions these fields have
 *      (`keptObject`).
 *   2. An object that names what it was made of (src/scope/unchanging.ts) is looked up by that and by its place in the plan,
 *      if all those checks allow the caller.
 *   3. If it was not written before, its fields are run as always. Its text is kept if the operation has no errors.
 *   4. The text stands in the answer as a `KeptText`, which the writers of answers take as it is (answer-text.ts).
 *
 * A text goes when what the object was made of goes. src/scope/kept-documents.ts bounds that by memory and by time.
 */
import { unchanging, type Unchanging } from '../../scope/unchanging.js';
import type { Operation } from '../operations.js';
import type { Path } from './field-errors.js';
import { KeptText } from './kept-text.js';
import type { KeptObject, PlannedField, PlannedObject, Run } from './planned.js';
import { isPromise, runFields } from './run.js';

/** Texts of one object that are kept: operations ask for it in different forms. All others are written for each caller. */
const mostForms = 2;

/** Characters of the longest text that is kept. */
const longestText = 8_192;

/** Facts of a field that schema/unchanging-fields.ts and schema/permission-rules.ts give. */
interface FieldExtensions {
  readonly unchanging?: boolean;
  /** Tells whether the caller may see it. Undefined: every caller who sees the object. */
  readonly allows?: (context: unknown) => boolean;
}

/**
 * Tells whether objects with these fields can be kept.
 * @param inner the objects in the fields, by field
 */
export function keptObject(
  fields: readonly PlannedField[],
  inner: ReadonlyMap<PlannedField, PlannedObject>,
): KeptObject | undefined {
  const allows = new Set<KeptObject['allows'][number]>();
  for (const field of fields) {
    if (field.kind === 'typename') continue;
    const extensions = field.definition.extensions as FieldExtensions;
    const object = inner.get(field);
    if (!extensions.unchanging || field.hasArguments || (object && !object.kept)) return undefined;
    if (extensions.allows) allows.add(extensions.allows);
    object?.kept?.allows.forEach((check) => allows.add(check));
  }
  return { allows: [...allows] };
}

/**
 * Makes the answer of an object, from its kept text if there is one.
 * @returns as `runFields`
 * @throws as `runFields`, and the error with which the operation was broken off
 */
export function runKept(run: Run, planned: PlannedObject, source: unknown, path: Path | undefined): unknown {
  const origin = (source as Unchanging)[unchanging];
  if (!origin || !planned.kept!.allows.every((allows) => allows(run.contextValue)))
    return runFields(run, planned, source, path);
  const known = run.texts.get(origin)?.get(planned);
  if (known) return put(run, known);
  const completed = runFields(run, planned, source, path);
  return isPromise(completed)
    ? completed.then((answer) => keep(run, planned, origin, answer))
    : keep(run, planned, origin, completed);
}

/** Keeps the text of an object. @returns it, or the object itself when its text cannot be kept */
function keep(run: Run, planned: PlannedObject, origin: object, answer: unknown): unknown {
  const forms = run.texts.get(origin) ?? new Map<PlannedObject, KeptText>();
  // After an error it is not known which values are missing because of it.
  if (run.errors.list.length > 0 || forms.size >= mostForms) return answer;
  const text = JSON.stringify(answer);
  if (text.length > longestText) return answer;
  run.texts.set(origin, forms);
  const made = new KeptText(text);
  forms.set(planned, made);
  run.hasTexts = true;
  return made;
}

/** Puts a kept text into an answer, and counts it as its values would be counted. */
function put(run: Run, known: KeptText): KeptText {
  (run.contextValue as { readonly operation?: Operation } | undefined)?.operation?.made(known.text.length);
  run.hasTexts = true;
  return known;
}
