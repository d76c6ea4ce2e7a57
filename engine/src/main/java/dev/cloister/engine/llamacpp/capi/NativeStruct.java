package dev.cloister.engine.llamacpp.capi;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_BOOLEAN;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.StructLayout;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** A structure of the C API: its fields by name, padded as a C compiler does. Immutable. */
public final class NativeStruct {

  private final StructLayout layout;
  private final Map<String, Long> offsets;

  private NativeStruct(StructLayout layout, Map<String, Long> offsets) {
    this.layout = layout;
    this.offsets = offsets;
  }

  /** For calls that pass it by value. */
  public StructLayout layout() {
    return layout;
  }

  public int getInt(MemorySegment struct, String field) {
    return struct.get(JAVA_INT, offset(field));
  }

  public boolean getBoolean(MemorySegment struct, String field) {
    return struct.get(JAVA_BOOLEAN, offset(field));
  }

  public void set(MemorySegment struct, String field, int value) {
    struct.set(JAVA_INT, offset(field), value);
  }

  public void set(MemorySegment struct, String field, boolean value) {
    struct.set(JAVA_BOOLEAN, offset(field), value);
  }

  public void set(MemorySegment struct, String field, MemorySegment value) {
    struct.set(ADDRESS, offset(field), value);
  }

  private long offset(String field) {
    Long offset = offsets.get(field);
    if (offset == null) {
      throw new IllegalArgumentException(field + " is no field of this structure");
    }
    return offset;
  }

  /** Lists the fields in their order. */
  static final class Builder {
    private final List<MemoryLayout> members = new ArrayList<>();
    private final Map<String, Long> offsets = new LinkedHashMap<>();
    private long size;

    Builder ints(String... names) {
      return fields(JAVA_INT, names);
    }

    Builder floats(String... names) {
      return fields(JAVA_FLOAT, names);
    }

    Builder longs(String... names) {
      return fields(JAVA_LONG, names);
    }

    Builder pointers(String... names) {
      return fields(ADDRESS, names);
    }

    Builder booleans(String... names) {
      return fields(JAVA_BOOLEAN, names);
    }

    NativeStruct build() {
      pad(Long.BYTES);
      return new NativeStruct(
          MemoryLayout.structLayout(members.toArray(MemoryLayout[]::new)), Map.copyOf(offsets));
    }

    private Builder fields(ValueLayout type, String... names) {
      pad(type.byteAlignment());
      for (String name : names) {
        offsets.put(name, size);
        members.add(type);
        size += type.byteSize();
      }
      return this;
    }

    private void pad(long alignment) {
      long over = size % alignment;
      if (over != 0) {
        members.add(MemoryLayout.paddingLayout(alignment - over));
        size += alignment - over;
      }
    }
  }
}
