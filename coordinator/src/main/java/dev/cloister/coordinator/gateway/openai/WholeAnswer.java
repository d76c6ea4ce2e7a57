package dev.cloister.coordinator.gateway.openai;

import com.linecorp.armeria.common.HttpData;
import com.linecorp.armeria.common.HttpResponseWriter;
import com.linecorp.armeria.common.HttpStatus;
import com.linecorp.armeria.common.MediaType;
import com.linecorp.armeria.common.ResponseHeaders;
import dev.cloister.coordinator.inference.GenerationEvent;
import dev.cloister.coordinator.inference.GenerationEvent.Failed;
import dev.cloister.coordinator.inference.GenerationEvent.Finished;
import dev.cloister.coordinator.inference.GenerationEvent.ReasoningDelta;
import dev.cloister.coordinator.inference.GenerationEvent.Started;
import dev.cloister.coordinator.inference.GenerationEvent.TextDelta;
import dev.cloister.coordinator.inference.GenerationEvent.ToolCallDelta;
import dev.cloister.coordinator.inference.GenerationSink;
import java.util.List;
import java.util.stream.Stream;

/** Writes an answer as one JSON object when all its choices are complete. */
final class WholeAnswer implements Answer {
  private final CompletionRequest asked;
  private final AnswerShape shape;
  private final HttpResponseWriter response;
  private final List<Choice> choices;
  private int unfinished;
  private String node = "";

  WholeAnswer(CompletionRequest asked, AnswerShape shape, HttpResponseWriter response) {
    this.asked = asked;
    this.shape = shape;
    this.response = response;
    this.choices = Stream.generate(Choice::new).limit(asked.choices()).toList();
    this.unfinished = asked.choices();
  }

  @Override
  public GenerationSink choice(int index) {
    return new Gathering(choices.get(index));
  }

  private synchronized void accept(Choice choice, GenerationEvent event) {
    switch (event) {
      case Started started -> node = node.isEmpty() ? started.node() : node;
      case TextDelta piece -> choice.add(piece);
      case ReasoningDelta piece -> choice.addReasoning(piece.text());
      case ToolCallDelta piece -> {
        if (asked.wants(piece)) {
          choice.add(piece);
        }
      }
      case Finished finished -> {
        choice.finish(finished);
        unfinished--;
        if (unfinished == 0) {
          write();
        }
      }
      case Failed failed -> {
        // Of several failures the first is told; a response takes nothing once it is closed.
        OpenAiError.of(failed, shape.promptParameter()).write(response);
        response.close();
      }
    }
  }

  private void write() {
    // Not write: it throws when the caller has gone already.
    var _ =
        response.tryWrite(
            ResponseHeaders.builder(HttpStatus.OK)
                .contentType(MediaType.JSON_UTF_8)
                .add(CompletionEndpoint.NODE_HEADER, node)
                .build());
    var _ = response.tryWrite(HttpData.wrap(shape.whole(choices)));
    response.close();
  }

  /** Gathers one choice. */
  private final class Gathering implements GenerationSink {
    private final Choice choice;

    Gathering(Choice choice) {
      this.choice = choice;
    }

    @Override
    public void accept(GenerationEvent event) {
      WholeAnswer.this.accept(choice, event);
    }

    @Override
    public boolean startOver() {
      synchronized (WholeAnswer.this) {
        choice.clear();
        if (choices.size() == 1) {
          node = "";
        }
      }
      return true;
    }
  }
}
