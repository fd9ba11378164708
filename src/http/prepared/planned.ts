import type {
  FieldNode,
  FragmentDefinitionNode,
  GraphQLField,
  GraphQLFieldResolver,
  GraphQLObjectType,
  GraphQLSchema,
  OperationDefinitionNode,
} from 'graphql';
import type { FieldErrors, Path } from './field-errors.js';
import type { KeptText } from './kept-text.js';

/** An operation with its values. */
export interface CheckedOperation {
  readonly schema: GraphQLSchema;
  readonly operation: OperationDefinitionNode;
  readonly fragments: Readonly<Record<string, FragmentDefinitionNode>>;
  /** Checked values. Those that a condition reads (@skip, @include) decide which fields its plan has. */
  readonly variableValues: Readonly<Record<string, unknown>>;
}

/** One execution of an operation. */
export interface Run extends CheckedOperation {
  readonly rootValue: unknown;
  readonly contextValue: unknown;
  readonly errors: FieldErrors;
  readonly texts: KeptTexts;
  /** Whether the answer has texts in it that were kept. */
  hasTexts: boolean;
}

/** The fields of an object, in the order of the answer. */
export interface PlannedObject {
  readonly type: GraphQLObjectType;
  readonly fields: readonly PlannedField[];
  /** Whether a plain object can hold the answer. Objects without a prototype are several times as slow. */
  readonly isPlain: boolean;
  /** Undefined when its text depends on more than what the object was made of. */
  readonly kept: KeptObject | undefined;
}

/** The texts that a process keeps, by what their objects were made of, and by their places in plans. */
export type KeptTexts = WeakMap<object, Map<PlannedObject, KeptText>>;

/** The objects at one place of a plan, whose texts are kept: see run-kept.ts. */
export interface KeptObject {
  /** Checks of permissions. All must allow the caller to see the whole text. */
  readonly allows: readonly ((context: unknown) => boolean)[];
}

/** A field of an object in the answer. */
export type PlannedField = TypenameField | ReadField;

/** `__typename`. */
interface TypenameField {
  readonly kind: 'typename';
  /** The name in the answer. */
  readonly key: string;
  readonly value: string;
}

/** A field with a value. */
export interface ReadField {
  readonly kind: 'read';
  readonly key: string;
  readonly name: string;
  readonly definition: GraphQLField<unknown, unknown>;
  readonly parentType: GraphQLObjectType;
  /** All selections of this field at this place. */
  readonly nodes: readonly FieldNode[];
  /** Undefined: the property of that name. */
  readonly resolve: GraphQLFieldResolver<unknown, unknown> | undefined;
  readonly hasArguments: boolean;
  readonly isNullable: boolean;
  /** Whether its value is one scalar or enum. */
  readonly isLeaf: boolean;
  readonly complete: Complete;
}

/**
 * Makes a value of the answer from what a field was resolved to.
 * @param path undefined for values that have no fields: it is made when an error needs it
 * @returns the value, or a promise of it
 * @throws when there is no such value
 */
export type Complete = (run: Run, field: ReadField, path: Path | undefined, value: unknown) => unknown;
