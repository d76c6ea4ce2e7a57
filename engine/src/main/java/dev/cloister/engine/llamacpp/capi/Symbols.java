package dev.cloister.engine.llamacpp.capi;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.util.ArrayList;
import java.util.List;

/** What a library exports; remembers what was looked for in vain. */
abstract class Symbols {

  private final SymbolLookup lookup;
  private final List<String> missing = new ArrayList<>();

  Symbols(SymbolLookup lookup) {
    this.lookup = lookup;
  }

  /** Names that were asked for and are not exported. */
  final List<String> missing() {
    return missing;
  }

  final NativeFunction function(String name, MemoryLayout result, MemoryLayout... arguments) {
    return new NativeFunction(address(name), FunctionDescriptor.of(result, arguments));
  }

  final NativeFunction procedure(String name, MemoryLayout... arguments) {
    return new NativeFunction(address(name), FunctionDescriptor.ofVoid(arguments));
  }

  private MemorySegment address(String name) {
    return lookup
        .find(name)
        .orElseGet(
            () -> {
              missing.add(name);
              return MemorySegment.NULL;
            });
  }
}
