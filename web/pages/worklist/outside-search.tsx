import type { VNode } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { useQuery } from '../../api/hooks.js';
import { ErrorBox } from '../../components/error-box.js';
import { WorklistPatientByMrnDocument } from '../../generated/graphql.js';
import { navigate } from '../../shell/router.js';
import { useTexts } from '../../texts/texts.js';
import { BreakGlass } from '../patient/break-glass.js';

/** Looks for an MRN that the list does not have: it may be of a patient outside of the viewer's care teams. */
export function OutsideSearch({ mrn }: { readonly mrn: string }): VNode {
  const { worklist: texts } = useTexts();
  const [isAsked, ask] = useState(false);
  return isAsked ? (
    <OutsidePatient mrn={mrn} />
  ) : (
    <button type="button" onClick={() => ask(true)}>
      {texts.outside}
    </button>
  );
}

function OutsidePatient({ mrn }: { readonly mrn: string }): VNode {
  const { worklist: texts } = useTexts();
  const { data, error, isLoading } = useQuery(WorklistPatientByMrnDocument, { mrn });
  const id = data?.patient?.id;
  const isOutside = error?.graphQLErrors.some(({ extensions }) => extensions['code'] === 'FORBIDDEN');
  useEffect(() => {
    if (id) navigate(`/patients/${id}`);
  }, [id]);
  return (
    <>
      {error && !isOutside && <ErrorBox error={error} />}
      {isOutside && <BreakGlass patient={{ mrn }} onGranted={({ patientId }) => navigate(`/patients/${patientId}`)} />}
      {!error && !isLoading && !id && <p>{texts.notThere}</p>}
    </>
  );
}
