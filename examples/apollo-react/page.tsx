// Apollo Client and React. The link brings the token, and resumes subscriptions after a break.
import { ApolloClient, gql, InMemoryCache, type TypedDocumentNode } from '@apollo/client';
import { ApolloProvider, useMutation, useQuery, useSubscription } from '@apollo/client/react';
import { useEffect, type ReactNode } from 'react';
import { createRoot } from 'react-dom/client';
import { createClient } from 'riskgraph/client';
import { riskGraphLink } from 'riskgraph/client/apollo';

// In an application, codegen makes these types from the schema.
const Patient: TypedDocumentNode<{ patient: { id: string } | null }, { mrn: string }> = gql`
  query Patient($mrn: String!) {
    patient(mrn: $mrn) {
      id
    }
  }
`;
const Submit: TypedDocumentNode<{ submitScoringJob: { id: string } }, { input: object }> = gql`
  mutation Submit($input: SubmitScoringJobInput!) {
    submitScoringJob(input: $input) {
      id
    }
  }
`;
interface Job {
  readonly state: string;
  readonly prediction: { readonly probability: number; readonly riskBand: string } | null;
}
// With $after and sequence the client resumes without a gap.
const Job: TypedDocumentNode<{ scoringJobUpdated: { job: Job } }, { id: string }> = gql`
  subscription Job($id: ID!, $after: Int) {
    scoringJobUpdated(id: $id, after: $after) {
      sequence
      collapsed
      job {
        id
        state
        prediction {
          id
          probability
          riskBand
        }
      }
    }
  }
`;

function Progress({ id }: { id: string }): ReactNode {
  const { data, error } = useSubscription(Job, { variables: { id } });
  if (error) return <p>{error.message}</p>;
  const job = data?.scoringJobUpdated.job;
  if (!job?.prediction) return <p>{job?.state ?? 'waiting'}</p>;
  const { probability, riskBand } = job.prediction;
  return (
    <p>
      risk {probability.toFixed(3)}, band {riskBand}
    </p>
  );
}

function Score({ mrn }: { mrn: string }): ReactNode {
  const { data } = useQuery(Patient, { variables: { mrn } });
  const [submit, submitted] = useMutation(Submit);
  const patientId = data?.patient?.id;
  useEffect(() => {
    if (patientId) void submit({ variables: { input: { patientId, modelId: 'heart-disease' } } });
  }, [patientId, submit]);
  return submitted.data ? <Progress id={submitted.data.submitScoringJob.id} /> : <p>loading</p>;
}

const { url, token, mrn } = Object.fromEntries(new URLSearchParams(location.search)) as Record<string, string>;
const client = new ApolloClient({
  cache: new InMemoryCache(),
  link: riskGraphLink(createClient({ url: url!, token })),
});
createRoot(document.getElementById('root')!).render(
  <ApolloProvider client={client}>
    <Score mrn={mrn!} />
  </ApolloProvider>,
);
