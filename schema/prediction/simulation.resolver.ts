import { Arg, Ctx, FieldResolver, Resolver, Root } from 'type-graphql';
import type { PredictionService } from '../../src/predictions/prediction-service.js';
import type { OperationContext } from '../common/context.js';
import { ShapMethod } from '../risk-model/risk-model.type.js';
import { toExplanation } from './prediction.mapper.js';
import { Explanation, RiskSimulationType } from './prediction.type.js';

@Resolver(() => RiskSimulationType)
export class SimulationResolver {
  constructor(private readonly service: PredictionService) {}

  @FieldResolver(() => Explanation, {
    complexity: 15,
    description: "By default of the risk class, by the model's first method.",
  })
  async explanation(
    @Root() { source }: RiskSimulationType,
    @Arg('method', () => ShapMethod, { nullable: true, description: "Absent: the model's first method." })
    method: ShapMethod | null,
    @Arg('class', () => String, { nullable: true, description: 'A name of RiskModel.classes. Absent: the risk class.' })
    className: string | null,
    @Ctx() { viewer }: OperationContext,
  ): Promise<Explanation> {
    const { model, row, score } = source;
    const explanation = await this.service.explainSimulation(source, { method, className });
    const probability = score.classes?.probabilities[model.manifest.classes!.indexOf(className ?? '')];
    const explained = probability === undefined ? score : { ...score, probability, className };
    return toExplanation(model, row.given, explained, explanation, viewer);
  }
}
