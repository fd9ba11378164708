import { loadOptional } from './optional-package.js';
import { packageVersion } from './package-root.js';
import { noTracing, type Tracing } from './tracing.js';

/**
 * Starts tracing when the settings name an endpoint. Its packages are loaded only then.
 * @param service the name of this process in its traces
 * @throws StartupError when traces are asked for, and their packages are not installed
 */
export async function startAskedTracing(
  { endpoint, ratio }: { readonly endpoint: string | undefined; readonly ratio: number },
  service: string,
): Promise<Tracing> {
  if (endpoint === undefined) return noTracing;
  const { startTracing } = await loadTracing();
  return startTracing({ endpoint, ratio, service, version: packageVersion() });
}

/** Loads the packages of traces. @throws StartupError when they are not installed */
export const loadTracing = () =>
  loadOptional(() => import('./open-telemetry.js'), 'OTEL_EXPORTER_OTLP_ENDPOINT', [
    '@opentelemetry/api',
    '@opentelemetry/exporter-trace-otlp-http',
    '@opentelemetry/resources',
    '@opentelemetry/sdk-trace-base',
  ]);
