const patientFields = 'id mrn givenName familyName birthDate sex features { code value unit }';
export const listQuery = `query Patients { patients(first: 50) { edges { node { ${patientFields} } } } }`;
export const patientQuery = `query Patient($id: ID!) { patient(id: $id) { ${patientFields} } }`;
export const predictionQuery =
  'query Prediction($id: ID!) { prediction(id: $id) { id createdAt probability riskBand modelId modelVersion ' +
  'inputs { code value unit } explanation { method baseValue outputValue additivityError contributions { ' +
  'feature { code label } inputValue value } } } }';

/** The bodies of requests for one query, one per id. */
export const queryBodies = (query: string, ids: readonly string[]): string[] =>
  ids.map((id) => JSON.stringify({ query, variables: { id } }));
