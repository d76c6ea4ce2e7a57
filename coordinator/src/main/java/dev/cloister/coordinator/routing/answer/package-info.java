/**
 * One answer, whichever nodes make it: how long it is expected to be ({@link
 * dev.cloister.coordinator.routing.answer.AnswerLengths}), what its caller was told of it ({@link
 * dev.cloister.coordinator.routing.answer.AnswerSoFar}), and what was lost on its way ({@link
 * dev.cloister.coordinator.routing.answer.Losses}).
 */
package dev.cloister.coordinator.routing.answer;
