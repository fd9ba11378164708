/**
 * The relation of the operator's score tensor to the raw outputs (measured on ONNX Runtime 1.30):
 * - PLAIN: one column per output, after the post transform.
 * - SECOND_CLASS: a binary classifier whose weights all have class id 0. It has one raw output s, of the second label,
 *   and two columns: [1 - s, s] when no weight is negative, else [-s, s]. With LOGISTIC, they are the sigmoids of
 *   these.
 * - SECOND_OF_TWO: the same with class id 1. It has two columns, the post transform of [0, s].
 */
export type ScoreLayout = 'PLAIN' | 'SECOND_CLASS' | 'SECOND_OF_TWO';
