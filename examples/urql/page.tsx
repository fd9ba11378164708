// urql and React. The exchange brings the token, and resumes subscriptions after a break.
import { useEffect, type ReactNode } from 'react';
import { createRoot } from 'react-dom/client';
import { createClient } from 'riskgraph/client';
import { riskGraphExchange } from 'riskgraph/client/urql';
import { cacheExchange, Client, gql, Provider, useMutation, useQuery, useSubscription } from 'urql';

const Patient = gql<{ patient: { id: string } | null }, { mrn: string }>`
  query Patient($mrn: String!) {
    patient(mrn: $mrn) {
      id
    }
  }
`;
const Submit = gql<{ submitScoringJob: { id: string } }, { input: object }>`
  mutation Submit($input: SubmitScoringJobInput!) {
    submitScoringJob(input: $input) {
      id
    }
  }
`;
// With $after and sequence the client resumes without a gap.
const Job = gql<
  {
    scoringJobUpdated: {
      job: { state: string; prediction: { probability: number; riskBand: string } | null };
    };
  },
  { id: string }
>`
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
  const [{ data, error }] = useSubscription({ query: Job, variables: { id } });
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
  const [{ data }] = useQuery({ query: Patient, variables: { mrn } });
  const [submitted, submit] = useMutation(Submit);
  const patientId = data?.patient?.id;
  useEffect(() => {
    if (patientId) void submit({ input: { patientId, modelId: 'heart-disease' } });
  }, [patientId, submit]);
  return submitted.data ? <Progress id={submitted.data.submitScoringJob.id} /> : <p>loading</p>;
}

const { url, token, mrn } = Object.fromEntries(new URLSearchParams(location.search)) as Record<string, string>;
const client = new Client({
  url: `${url}/graphql`,
  preferGetMethod: false,
  exchanges: [cacheExchange, riskGraphExchange(createClient({ url: url!, token }))],
});
createRoot(document.getElementById('root')!).render(
  <Provider value={client}>
    <Score mrn={mrn!} />
  </Provider>,
);
