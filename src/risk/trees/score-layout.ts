/**
 * How the operator's score tensor follows from the raw outputs:
 * - PLAIN: one column an output, after the post transform;
 * - SECOND_CLASS: a binary classifier with one raw output s, which belongs to the second label; two columns.
 */
export type ScoreLayout = 'PLAIN' | 'SECOND_CLASS';
