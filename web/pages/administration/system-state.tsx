import { Fragment, type VNode } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { useQuery } from '../../api/hooks.js';
import { ErrorBox } from '../../components/error-box.js';
import { ConsoleSystemDocument, type ConsoleSystemQuery } from '../../generated/graphql.js';
import { useFormats, useTexts } from '../../texts/texts.js';
import { readHealth, type Health } from './health.js';

/** Time between two looks, milliseconds. */
const lookEveryMs = 5_000;

type Status = NonNullable<ConsoleSystemQuery['systemStatus']>;

/** The state of the deployment: what it depends on, workers, queues, and the unfinished jobs of the organization. */
export function SystemState(): VNode {
  const { system } = useTexts().administration;
  const { number } = useFormats();
  const { data, error, reload } = useQuery(ConsoleSystemDocument, {});
  const [health, setHealth] = useState<Health>();
  useEffect(() => {
    let live = true;
    const look = (): void => void readHealth().then((found) => live && setHealth(found));
    look();
    const timer = setInterval(() => {
      look();
      reload();
    }, lookEveryMs);
    return () => {
      live = false;
      clearInterval(timer);
    };
  }, []);
  return (
    <>
      {error && <ErrorBox error={error} onRetry={reload} />}
      <div class="columns spaced">
        <section class="card">
          <h2>{system.health}</h2>
          {health && <HealthFacts health={health} />}
        </section>
        <section class="card">
          <h2>{system.jobs}</h2>
          {data && (
            <dl class="facts">
              <dt>{system.workers}</dt>
              <dd>{number(data.systemStatus?.workersAlive ?? 0)}</dd>
              <dt>{system.waiting}</dt>
              <dd>
                <a href="/jobs?state=QUEUED">{number(data.waiting.totalCount)}</a>
              </dd>
              <dt>{system.running}</dt>
              <dd>
                <a href="/jobs?state=ACTIVE">{number(data.running.totalCount)}</a>
              </dd>
              <dt>{system.failed}</dt>
              <dd>
                <a href="/jobs?state=FAILED">{number(data.failed.totalCount)}</a>
              </dd>
            </dl>
          )}
        </section>
      </div>
      <section class="card">
        <h2>{system.queues}</h2>
        {data?.systemStatus && <Queues status={data.systemStatus} />}
      </section>
    </>
  );
}

function HealthFacts({ health }: { readonly health: Health }): VNode {
  const { system } = useTexts().administration;
  const names = system.dependencies as Readonly<Record<string, string>>;
  if (!health.dependencies) return <p>{system.noHealth}</p>;
  return (
    <dl class="facts">
      {Object.entries(health.dependencies).map(([name, state]) => (
        <Fragment key={name}>
          <dt>{names[name] ?? name}</dt>
          <dd>
            <span class={`badge ${state === 'up' ? 'good' : 'danger'}`}>
              {state === 'up' ? system.up : system.down}
            </span>{' '}
            {health.reasons?.[name]}
          </dd>
        </Fragment>
      ))}
    </dl>
  );
}

function Queues({ status }: { readonly status: Status }): VNode {
  const { system } = useTexts().administration;
  const { number, duration } = useFormats();
  const { queues } = status;
  if (!queues) return <p>{system.operatorsOnly}</p>;
  if (queues.length === 0) return <p>{system.empty}</p>;
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label={system.queues}>
      <table>
        <thead>
          <tr>
            <th scope="col">{system.kind}</th>
            <th scope="col" class="number">
              {system.priority}
            </th>
            <th scope="col" class="number">
              {system.entries}
            </th>
            <th scope="col">{system.oldest}</th>
          </tr>
        </thead>
        <tbody>
          {queues.map(({ kind, priority, entries, oldestSeconds }) => (
            <tr key={`${kind} ${priority}`}>
              <th scope="row">{kind}</th>
              <td class="number">{priority}</td>
              <td class="number">{number(entries)}</td>
              <td>{duration(oldestSeconds)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
