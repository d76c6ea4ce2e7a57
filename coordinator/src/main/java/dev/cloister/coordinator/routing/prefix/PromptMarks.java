package dev.cloister.coordinator.routing.prefix;

import dev.cloister.coordinator.inference.Tenant;
import dev.cloister.coordinator.inference.prompt.ChatMessage;
import dev.cloister.coordinator.inference.prompt.Prompt;
import dev.cloister.coordinator.inference.prompt.Tool;
import dev.cloister.coordinator.inference.prompt.ToolCall;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/**
 * Names the beginnings of prompts. The bytes of a prompt are cut into blocks; each whole block has
 * a mark, a hash of 64 bits chained over all blocks before it, the model and the tenant. Two
 * prompts of a tenant have a mark in common if they begin alike up to there, and otherwise with a
 * probability that does not matter, since marks only decide where a request goes.
 *
 * <p>A conversation is written so that one with more messages begins with the bytes of the shorter
 * one: the tools first, then message by message, each part ended by a byte that is in no UTF-8.
 * Hashing is FNV-1a with the final mix of MurmurHash3.
 */
public final class PromptMarks {
  /** Bytes of a block. */
  public static final int BLOCK_BYTES = 256;

  /** Longer prompts have marks of their beginning only: a mebibyte. */
  private static final int MOST_MARKS = 4_096;

  private static final long FNV_OFFSET = 0xcbf29ce484222325L;
  private static final long FNV_PRIME = 0x100000001b3L;
  private static final byte END = (byte) 0xFF;

  private final List<Long> marks = new ArrayList<>();
  private long hash = FNV_OFFSET;
  private int inBlock;

  private PromptMarks() {}

  /** The marks of a prompt, shortest beginning first. */
  public static List<Long> of(String model, Tenant tenant, Prompt prompt) {
    PromptMarks writing = new PromptMarks();
    writing.seed(model);
    writing.seed(tenant.name());
    switch (prompt) {
      case Prompt.Text(String text) -> writing.write(text);
      case Prompt.Chat chat -> writing.write(chat);
    }
    return List.copyOf(writing.marks);
  }

  private void seed(String name) {
    for (byte b : name.getBytes(StandardCharsets.UTF_8)) {
      hash(b);
    }
    hash(END);
  }

  private void write(Prompt.Chat chat) {
    for (Tool tool : chat.tools()) {
      write(tool.json());
      add(END);
    }
    for (ChatMessage message : chat.messages()) {
      write(message.role().name());
      add(END);
      write(message.toolCallId());
      add(END);
      write(message.name());
      add(END);
      write(message.reasoning());
      add(END);
      write(message.content());
      add(END);
      for (ToolCall call : message.toolCalls()) {
        write(call.id());
        add(END);
        write(call.name());
        add(END);
        write(call.arguments());
        add(END);
      }
    }
  }

  private void write(String text) {
    if (marks.size() < MOST_MARKS) {
      for (byte b : text.getBytes(StandardCharsets.UTF_8)) {
        add(b);
      }
    }
  }

  private void add(byte b) {
    hash(b);
    inBlock++;
    if (inBlock == BLOCK_BYTES) {
      inBlock = 0;
      if (marks.size() < MOST_MARKS) {
        marks.add(mixed(hash));
      }
    }
  }

  private void hash(byte b) {
    hash = (hash ^ (b & 0xFF)) * FNV_PRIME;
  }

  private static long mixed(long value) {
    long mixed = (value ^ (value >>> 33)) * 0xff51afd7ed558ccdL;
    mixed = (mixed ^ (mixed >>> 33)) * 0xc4ceb9fe1a85ec53L;
    return mixed ^ (mixed >>> 33);
  }
}
