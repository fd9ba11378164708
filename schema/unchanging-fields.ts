import { isObjectType, type GraphQLSchema } from 'graphql';

/**
 * Fields whose values depend only on the stored document, on the served models, and on whether the viewer may see exact
 * ages: never on the time, on arguments, or on anything else about the viewer. What was written for one caller is written
 * again for others who may see these fields. A field that is not listed here is made for each caller.
 */
export const unchangingFields: Readonly<Record<string, readonly string[]>> = {
  Patient: [
    'id',
    'mrn',
    'givenName',
    'familyName',
    'birthDate',
    'sex',
    'features',
    'careTeam',
    'version',
    'createdAt',
    'updatedAt',
  ],
  PatientFeature: ['code', 'value', 'unit', 'recordedAt'],
};

/** Marks the unchanging fields for the execution (src/http/prepared/run-kept.ts). @param schema changed in place */
export function markUnchanging(schema: GraphQLSchema): GraphQLSchema {
  for (const [name, fields] of Object.entries(unchangingFields)) {
    const type = schema.getType(name);
    if (!isObjectType(type)) throw new Error(`the schema has no object type ${name}`);
    for (const field of fields) {
      const definition = type.getFields()[field];
      if (!definition || definition.args.length > 0) throw new Error(`${name}.${field} cannot be unchanging`);
      definition.extensions = { ...definition.extensions, unchanging: true };
    }
  }
  return schema;
}
