/**
 * How the operator's score tensor follows from the raw outputs (measured on ONNX Runtime 1.30):
 * - PLAIN: one column an output, after the post transform;
 * - SECOND_CLASS: a binary classifier whose weights all have class id 0: one raw output s of the second label, two columns
 *   made of it ([1 - s, s] where no weight is negative, else [-s, s]; the sigmoids of these with LOGISTIC);
 * - SECOND_OF_TWO: the same with class id 1: two columns, the post transform of [0, s].
 */
export type ScoreLayout = 'PLAIN' | 'SECOND_CLASS' | 'SECOND_OF_TWO';
