import { GraphQLDateTime } from 'graphql-scalars';
import { Field, InputType } from 'type-graphql';

@InputType({ description: 'A new API key.' })
export class CreateApiKeyInput {
  @Field(() => String, { description: 'Purpose of the key, up to 100 characters.' })
  name!: string;

  @Field(() => [String], { description: 'Actions that the role SERVICE may do, e.g. "job:submit".' })
  scopes!: string[];

  @Field(() => GraphQLDateTime, { nullable: true, description: 'Absent: the key is valid until it is revoked.' })
  expiresAt?: Date | null;
}
