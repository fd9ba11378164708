/* eslint-disable */
import * as types from './graphql.js';



/**
 * Map of all GraphQL operations in the project.
 *
 * This map has several performance disadvantages:
 * 1. It is not tree-shakeable, so it will include all operations in the project.
 * 2. It is not minifiable, so the string of a GraphQL query will be multiple times inside the bundle.
 * 3. It does not support dead code elimination, so it will add unused operations.
 *
 * Therefore it is highly recommended to use the babel or swc plugin for production.
 * Learn more about it here: https://the-guild.dev/graphql/codegen/plugins/presets/preset-client#reducing-bundle-size
 */
type Documents = {
    "query ConsoleViewer {\n  viewer {\n    username\n    role\n    permissions\n    organization {\n      id\n      slug\n      name\n    }\n  }\n}": typeof types.ConsoleViewerDocument,
    "fragment ShownJob on ScoringJob {\n  id\n  kind\n  state\n  attempts\n  sequence\n  priority\n  submittedAt\n  startedAt\n  finishedAt\n  submittedBy\n  modelId\n  modelVersion\n  progress {\n    stage\n    processed\n    total\n    percent\n    failed\n  }\n  error {\n    code\n    message\n  }\n}\n\nquery ConsoleJobs($first: Int, $after: String, $filter: ScoringJobFilter) {\n  scoringJobs(first: $first, after: $after, filter: $filter) {\n    totalCount\n    pageInfo {\n      hasNextPage\n      endCursor\n    }\n    edges {\n      node {\n        ...ShownJob\n      }\n    }\n  }\n}\n\nsubscription ConsoleJobsUpdated($filter: ScoringJobFilter) {\n  scoringJobsUpdated(filter: $filter) {\n    sequence\n    collapsed\n    job {\n      ...ShownJob\n    }\n  }\n}\n\nquery ConsoleJob($id: ID!) {\n  scoringJob(id: $id) {\n    ...ShownJob\n    patient {\n      id\n    }\n  }\n}\n\nquery ConsoleJobFailures($id: ID!, $first: Int, $after: String) {\n  scoringJob(id: $id) {\n    id\n    failureConnection(first: $first, after: $after) {\n      totalCount\n      pageInfo {\n        hasNextPage\n        endCursor\n      }\n      edges {\n        node {\n          patientId\n          code\n          message\n        }\n      }\n    }\n  }\n}\n\nsubscription ConsoleJobUpdated($id: ID!, $after: Int) {\n  scoringJobUpdated(id: $id, after: $after) {\n    sequence\n    collapsed\n    job {\n      ...ShownJob\n    }\n  }\n}\n\nmutation ConsoleRetryJob($id: ID!) {\n  retryScoringJob(id: $id) {\n    ...ShownJob\n  }\n}\n\nmutation ConsoleCancelJob($id: ID!) {\n  cancelScoringJob(id: $id) {\n    ...ShownJob\n  }\n}": typeof types.ShownJobFragmentDoc,
};
const documents: Documents = {
    "query ConsoleViewer {\n  viewer {\n    username\n    role\n    permissions\n    organization {\n      id\n      slug\n      name\n    }\n  }\n}": types.ConsoleViewerDocument,
    "fragment ShownJob on ScoringJob {\n  id\n  kind\n  state\n  attempts\n  sequence\n  priority\n  submittedAt\n  startedAt\n  finishedAt\n  submittedBy\n  modelId\n  modelVersion\n  progress {\n    stage\n    processed\n    total\n    percent\n    failed\n  }\n  error {\n    code\n    message\n  }\n}\n\nquery ConsoleJobs($first: Int, $after: String, $filter: ScoringJobFilter) {\n  scoringJobs(first: $first, after: $after, filter: $filter) {\n    totalCount\n    pageInfo {\n      hasNextPage\n      endCursor\n    }\n    edges {\n      node {\n        ...ShownJob\n      }\n    }\n  }\n}\n\nsubscription ConsoleJobsUpdated($filter: ScoringJobFilter) {\n  scoringJobsUpdated(filter: $filter) {\n    sequence\n    collapsed\n    job {\n      ...ShownJob\n    }\n  }\n}\n\nquery ConsoleJob($id: ID!) {\n  scoringJob(id: $id) {\n    ...ShownJob\n    patient {\n      id\n    }\n  }\n}\n\nquery ConsoleJobFailures($id: ID!, $first: Int, $after: String) {\n  scoringJob(id: $id) {\n    id\n    failureConnection(first: $first, after: $after) {\n      totalCount\n      pageInfo {\n        hasNextPage\n        endCursor\n      }\n      edges {\n        node {\n          patientId\n          code\n          message\n        }\n      }\n    }\n  }\n}\n\nsubscription ConsoleJobUpdated($id: ID!, $after: Int) {\n  scoringJobUpdated(id: $id, after: $after) {\n    sequence\n    collapsed\n    job {\n      ...ShownJob\n    }\n  }\n}\n\nmutation ConsoleRetryJob($id: ID!) {\n  retryScoringJob(id: $id) {\n    ...ShownJob\n  }\n}\n\nmutation ConsoleCancelJob($id: ID!) {\n  cancelScoringJob(id: $id) {\n    ...ShownJob\n  }\n}": types.ShownJobFragmentDoc,
};

/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "query ConsoleViewer {\n  viewer {\n    username\n    role\n    permissions\n    organization {\n      id\n      slug\n      name\n    }\n  }\n}"): typeof import('./graphql.js').ConsoleViewerDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "fragment ShownJob on ScoringJob {\n  id\n  kind\n  state\n  attempts\n  sequence\n  priority\n  submittedAt\n  startedAt\n  finishedAt\n  submittedBy\n  modelId\n  modelVersion\n  progress {\n    stage\n    processed\n    total\n    percent\n    failed\n  }\n  error {\n    code\n    message\n  }\n}\n\nquery ConsoleJobs($first: Int, $after: String, $filter: ScoringJobFilter) {\n  scoringJobs(first: $first, after: $after, filter: $filter) {\n    totalCount\n    pageInfo {\n      hasNextPage\n      endCursor\n    }\n    edges {\n      node {\n        ...ShownJob\n      }\n    }\n  }\n}\n\nsubscription ConsoleJobsUpdated($filter: ScoringJobFilter) {\n  scoringJobsUpdated(filter: $filter) {\n    sequence\n    collapsed\n    job {\n      ...ShownJob\n    }\n  }\n}\n\nquery ConsoleJob($id: ID!) {\n  scoringJob(id: $id) {\n    ...ShownJob\n    patient {\n      id\n    }\n  }\n}\n\nquery ConsoleJobFailures($id: ID!, $first: Int, $after: String) {\n  scoringJob(id: $id) {\n    id\n    failureConnection(first: $first, after: $after) {\n      totalCount\n      pageInfo {\n        hasNextPage\n        endCursor\n      }\n      edges {\n        node {\n          patientId\n          code\n          message\n        }\n      }\n    }\n  }\n}\n\nsubscription ConsoleJobUpdated($id: ID!, $after: Int) {\n  scoringJobUpdated(id: $id, after: $after) {\n    sequence\n    collapsed\n    job {\n      ...ShownJob\n    }\n  }\n}\n\nmutation ConsoleRetryJob($id: ID!) {\n  retryScoringJob(id: $id) {\n    ...ShownJob\n  }\n}\n\nmutation ConsoleCancelJob($id: ID!) {\n  cancelScoringJob(id: $id) {\n    ...ShownJob\n  }\n}"): typeof import('./graphql.js').ShownJobFragmentDoc;


export function graphql(source: string) {
  return (documents as any)[source] ?? {};
}
