import { GraphQLDateTime } from 'graphql-scalars';
import { Arg, FieldResolver, ID, Query, Resolver, Root } from 'type-graphql';
import type { Config } from '../../src/config/config.js';
import { worklistModelOf } from '../../src/patients/latest-conditions.js';
import { parseModelId } from '../../src/risk/model-name.js';
import { renderImportancePlot } from '../../src/risk/plots/importance-plot.js';
import type { RiskModelRegistry } from '../../src/risk/risk-model.js';
import { toRiskModel } from './risk-model.mapper.js';
import { RiskModelType } from './risk-model.type.js';

@Resolver(() => RiskModelType)
export class RiskModelResolver {
  constructor(
    private readonly registry: RiskModelRegistry,
    private readonly settings: Pick<Config, 'worklistModel'>,
  ) {}

  @Query(() => [RiskModelType], {
    description: 'Every version that is offered for new jobs. Retired versions are left out.',
  })
  riskModels(): RiskModelType[] {
    return this.registry.list().map(toRiskModel);
  }

  @Query(() => RiskModelType, {
    nullable: true,
    description:
      'The named version, also a retired one; the default version when none is named. `id` is a modelId, or the id of ' +
      'one version.',
  })
  async riskModel(
    @Arg('id', () => ID, { description: 'A RiskModel.modelId, or the RiskModel.id of one version.' }) id: string,
    @Arg('version', () => String, {
      nullable: true,
      description: 'The version. Absent: the one that `id` names, else the default version.',
    })
    version: string | null,
  ): Promise<RiskModelType | null> {
    const { modelId, modelVersion } = parseModelId(id);
    if (version != null && modelVersion !== undefined && version !== modelVersion) return null;
    const wanted = version ?? modelVersion;
    const model = wanted === undefined ? this.registry.find(modelId) : await this.registry.load(modelId, wanted);
    return model ? toRiskModel(model) : null;
  }

  @FieldResolver(() => Boolean, { description: 'True when a job that names no version gets this one.' })
  isDefault(@Root() { modelId, version }: RiskModelType): boolean {
    return this.registry.state(modelId, version).isDefault;
  }

  @FieldResolver(() => Boolean, {
    description:
      'True for the versions of the model that lists of patients are about when they name none: WORKLIST_MODEL of the ' +
      'deployment, else the only model.',
  })
  isWorklistModel(@Root() { modelId }: RiskModelType): boolean {
    return modelId === worklistModelOf(this.registry, this.settings.worklistModel);
  }

  @FieldResolver(() => GraphQLDateTime, {
    nullable: true,
    description: 'The time from which on this version was no longer offered for new jobs; null while it is offered.',
  })
  retiredAt(@Root() { modelId, version }: RiskModelType): Date | null {
    return this.registry.state(modelId, version).retiredAt ?? null;
  }

  @FieldResolver(() => String, {
    description: 'Global importance as a self-contained, accessible SVG.',
    complexity: 50,
  })
  importancePlot(@Root() { source }: RiskModelType): string {
    return renderImportancePlot(source.manifest);
  }
}
