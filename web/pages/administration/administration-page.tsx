import type { VNode } from 'preact';
import type { PageProps } from '../page-props.js';
import { useTitle } from '../../shell/router.js';
import { useTexts } from '../../texts/texts.js';
import { ApiKeys } from './api-keys.js';
import { AuditTrail } from './audit-trail.js';
import { BreakGlassAccesses } from './break-glass.js';
import { Encryption } from './encryption.js';
import { SystemState } from './system-state.js';
import { Users } from './users.js';

/** The parts of the administration, each with an address of its own. */
const sections = {
  users: Users,
  keys: ApiKeys,
  audit: AuditTrail,
  'break-glass': BreakGlassAccesses,
  encryption: Encryption,
  system: SystemState,
} as const;
type Section = keyof typeof sections;

const isSection = (name: string): name is Section => Object.hasOwn(sections, name);

/** Users, keys, audit trail and state of the organization. */
export default function AdministrationPage({ params }: PageProps): VNode {
  const { administration, shell } = useTexts();
  const name = params['section'] ?? 'users';
  const Part = isSection(name) ? sections[name] : undefined;
  useTitle(Part ? administration.sections[name as Section] : shell.notFound);
  return (
    <>
      <h1>{administration.title}</h1>
      <nav class="tabs" aria-label={administration.sections.label}>
        {(Object.keys(sections) as Section[]).map((section) => (
          <a key={section} href={`/administration/${section}`} aria-current={section === name ? 'page' : undefined}>
            {administration.sections[section]}
          </a>
        ))}
      </nav>
      {Part ? <Part /> : <p>{shell.notFoundHelp}</p>}
    </>
  );
}
