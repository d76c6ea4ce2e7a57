package dev.cloister.engine.answering;

import dev.cloister.engine.model.Vocabulary;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Keeps what people write apart from the markup of the template: a message that holds {@code
 * <|im_end|>} holds ten characters, and does not end. Thread-safe.
 */
final class ControlMarkup {

  /** Splits markup where it stands in a message; a noncharacter, which no text should hold. */
  private static final char SPLIT = '\uFDD0';

  private final Vocabulary vocabulary;
  private @Nullable Pattern markup;

  ControlMarkup(Vocabulary vocabulary) {
    this.vocabulary = vocabulary;
  }

  /** The text, with a split inside each piece of markup. */
  String defused(String text) {
    String clean = text.indexOf(SPLIT) < 0 ? text : text.replace(SPLIT, '\uFFFD');
    return markup()
        .matcher(clean)
        .replaceAll(
            match -> {
              String found = match.group();
              int first = Character.charCount(found.codePointAt(0));
              return Matcher.quoteReplacement(
                  found.substring(0, first) + SPLIT + found.substring(first));
            });
  }

  /** The tokens of a rendered prompt, in which markup counts as such unless it was split. */
  int[] tokenize(String rendered, boolean addSpecial) {
    int split = rendered.indexOf(SPLIT);
    if (split < 0) {
      return vocabulary.tokenize(rendered, addSpecial, true);
    }
    List<int[]> pieces = new ArrayList<>();
    int from = 0;
    while (split >= 0) {
      pieces.add(
          vocabulary.tokenize(rendered.substring(from, split), addSpecial && from == 0, true));
      from = split + 1;
      split = rendered.indexOf(SPLIT, from);
    }
    pieces.add(vocabulary.tokenize(rendered.substring(from), false, true));
    return pieces.stream().flatMapToInt(Arrays::stream).toArray();
  }

  private synchronized Pattern markup() {
    if (markup == null) {
      List<String> texts = new ArrayList<>();
      for (int token = 0; token < vocabulary.size(); token++) {
        if (vocabulary.isControl(token)) {
          String text = new String(vocabulary.piece(token, true), StandardCharsets.UTF_8);
          if (text.length() > 1) {
            texts.add(text);
          }
        }
      }
      markup =
          Pattern.compile(
              texts.isEmpty()
                  ? "(?!)"
                  : texts.stream()
                      .sorted(Comparator.comparingInt(String::length).reversed())
                      .map(Pattern::quote)
                      .collect(Collectors.joining("|")));
    }
    return markup;
  }
}
