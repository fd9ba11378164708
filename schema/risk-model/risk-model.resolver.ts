import { Arg, FieldResolver, ID, Query, Resolver, Root } from 'type-graphql';
import { renderImportancePlot } from '../../src/risk/plots/importance-plot.js';
import type { RiskModelRegistry } from '../../src/risk/risk-model.js';
import { toRiskModel } from './risk-model.mapper.js';
import { RiskModelType } from './risk-model.type.js';

@Resolver(() => RiskModelType)
export class RiskModelResolver {
  constructor(private readonly registry: RiskModelRegistry) {}

  @Query(() => [RiskModelType], { description: 'Every version that is served.' })
  riskModels(): RiskModelType[] {
    return this.registry.list().map(toRiskModel);
  }

  @Query(() => RiskModelType, {
    nullable: true,
    description: 'The named version, or the highest one when none is named.',
  })
  riskModel(
    @Arg('id', () => ID) id: string,
    @Arg('version', () => String, { nullable: true }) version: string | null,
  ): RiskModelType | null {
    const model = this.registry.find(id, version ?? undefined);
    return model ? toRiskModel(model) : null;
  }

  @FieldResolver(() => String, {
    description: 'Global importance as a self-contained, accessible SVG.',
    complexity: 50,
  })
  importancePlot(@Root() { source }: RiskModelType): string {
    return renderImportancePlot(source.manifest);
  }
}
