import { Field, Float, Int, ObjectType } from 'type-graphql';

@ObjectType({ simpleResolvers: true, description: 'The waiting entries of one queue and priority.' })
class QueueDepth {
  @Field(() => String, { description: 'The kind of entries.' })
  kind!: string;

  @Field(() => Int, { description: '0 runs first, 10 last.' })
  priority!: number;

  @Field(() => Int, { description: 'Entries that wait.' })
  entries!: number;

  @Field(() => Float, { description: 'Seconds since the oldest of them was added.' })
  oldestSeconds!: number;
}

@ObjectType({ simpleResolvers: true, description: 'The state of the deployment.' })
export class SystemStatus {
  @Field(() => Int, { description: 'Workers that have given a sign of life within 20 seconds.' })
  workersAlive!: number;

  @Field(() => [QueueDepth], {
    nullable: true,
    description:
      'Queues in which entries wait. They hold jobs of all organizations: null outside of the organization of the ' +
      'operators (QUEUE_PAGE_ORGANIZATION).',
  })
  queues!: readonly QueueDepth[] | null;
}
