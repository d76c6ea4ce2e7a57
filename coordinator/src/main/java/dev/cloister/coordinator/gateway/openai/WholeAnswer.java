package dev.cloister.coordinator.gateway;

import com.linecorp.armeria.common.HttpData;
import com.linecorp.armeria.common.HttpResponseWriter;
import com.linecorp.armeria.common.HttpStatus;
import com.linecorp.armeria.common.MediaType;
import com.linecorp.armeria.common.ResponseHeaders;
import dev.cloister.coordinator.inference.GenerationEvent;
import dev.cloister.coordinator.inference.GenerationEvent.Failed;
import dev.cloister.coordinator.inference.GenerationEvent.Finished;
import dev.cloister.coordinator.inference.GenerationEvent.Started;
import dev.cloister.coordinator.inference.GenerationEvent.TextDelta;
import dev.cloister.coordinator.inference.GenerationSink;

/** Writes an answer as one JSON object when it is complete. */
final class WholeAnswer implements GenerationSink {
  private final AnswerShape shape;
  private final HttpResponseWriter response;
  private final StringBuilder text = new StringBuilder();
  private String node = "";

  WholeAnswer(AnswerShape shape, HttpResponseWriter response) {
    this.shape = shape;
    this.response = response;
  }

  @Override
  public void accept(GenerationEvent event) {
    switch (event) {
      case Started started -> node = started.node();
      case TextDelta delta -> text.append(delta.text());
      case Finished finished -> {
        // Not write: it throws when the caller has gone already.
        var _ =
            response.tryWrite(
                ResponseHeaders.builder(HttpStatus.OK)
                    .contentType(MediaType.JSON_UTF_8)
                    .add(Gateway.NODE_HEADER, node)
                    .build());
        var _ =
            response.tryWrite(
                HttpData.wrap(shape.whole(text.toString(), finished.reason(), finished.usage())));
        response.close();
      }
      case Failed failed -> {
        OpenAiError error = OpenAiError.of(failed, shape.promptParameter());
        error.write(response);
        response.close();
      }
    }
  }

  @Override
  public boolean startOver() {
    text.setLength(0);
    return true;
  }
}
