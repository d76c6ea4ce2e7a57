package dev.cloister.engine.llamacpp.capi;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;
import java.lang.invoke.MethodHandle;
import org.jspecify.annotations.Nullable;

/**
 * One function of the library, linked when it is first called. Pointers travel as {@code long}, so
 * that functions of equal shape share their linkage: that is most of what start-up costs. Each
 * method is a result and a shape of arguments; one that does not fit the function throws.
 * Thread-safe.
 */
@SuppressWarnings("restricted") // The shapes are checked against the library by the tests.
public final class NativeFunction {

  private final MemorySegment address;
  private final FunctionDescriptor shape;
  // A race links it twice, into equal handles, and those are immutable.
  private @Nullable MethodHandle linked;

  NativeFunction(MemorySegment address, FunctionDescriptor shape) {
    this.address = address;
    this.shape = shape;
  }

  public void run() {
    try {
      handle().invokeExact();
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  public void run(long a) {
    try {
      handle().invokeExact(a);
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  public void run(long a, int b) {
    try {
      handle().invokeExact(a, b);
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  public void run(long a, long b) {
    try {
      handle().invokeExact(a, b);
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  public void run(long a, long b, long c) {
    try {
      handle().invokeExact(a, b, c);
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  public void run(long a, long b, long c, long d) {
    try {
      handle().invokeExact(a, b, c, d);
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  public void run(long a, int b, int c, int d, int e) {
    try {
      handle().invokeExact(a, b, c, d, e);
    } catch (Throwable thrown) {
      throw unexpected(thrown);
    }
  }

  public boolean test() {
    try {
      return (boolean) handle().invokeExact();
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  public boolean test(long a) {
    try {
      return (boolean) handle().invokeExact(a);
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  public boolean test(long a, int b) {
    try {
      return (boolean) handle().invokeExact(a, b);
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  public boolean test(long a, int b, int c, int d) {
    try {
      return (boolean) handle().invokeExact(a, b, c, d);
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  public int toInt(long a) {
    try {
      return (int) handle().invokeExact(a);
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  public int toInt(long a, int b) {
    try {
      return (int) handle().invokeExact(a, b);
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  public int toInt(long a, long b, long c, long d) {
    try {
      return (int) handle().invokeExact(a, b, c, d);
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  public int toInt(long a, int b, long c, int d, int e, boolean f) {
    try {
      return (int) handle().invokeExact(a, b, c, d, e, f);
    } catch (Throwable thrown) {
      throw unexpected(thrown);
    }
  }

  public int toInt(long a, long b, int c, long d, int e, boolean f, boolean g) {
    try {
      return (int) handle().invokeExact(a, b, c, d, e, f, g);
    } catch (Throwable thrown) {
      throw unexpected(thrown);
    }
  }

  public int toInt(long a, MemorySegment struct) {
    try {
      return (int) handle().invokeExact(a, struct);
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  public long toLong() {
    try {
      return (long) handle().invokeExact();
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  public long toLong(byte a) {
    try {
      return (long) handle().invokeExact(a);
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  public long toLong(int a) {
    try {
      return (long) handle().invokeExact(a);
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  public long toLong(int a, int b, long c) {
    try {
      return (long) handle().invokeExact(a, b, c);
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  public long toLong(int a, float b, float c, float d) {
    try {
      return (long) handle().invokeExact(a, b, c, d);
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  public long toLong(int a, int b, float c, float d, float e) {
    try {
      return (long) handle().invokeExact(a, b, c, d, e);
    } catch (Throwable thrown) {
      throw unexpected(thrown);
    }
  }

  public long toLong(float a) {
    try {
      return (long) handle().invokeExact(a);
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  public long toLong(float a, long b) {
    try {
      return (long) handle().invokeExact(a, b);
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  public long toLong(long a) {
    try {
      return (long) handle().invokeExact(a);
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  public long toLong(long a, int b) {
    try {
      return (long) handle().invokeExact(a, b);
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  public long toLong(long a, long b, long c) {
    try {
      return (long) handle().invokeExact(a, b, c);
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  public long toLong(long a, long b, long c, int d) {
    try {
      return (long) handle().invokeExact(a, b, c, d);
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  public long toLong(long a, MemorySegment struct) {
    try {
      return (long) handle().invokeExact(a, struct);
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  public MemorySegment toStruct(SegmentAllocator allocator) {
    try {
      return (MemorySegment) handle().invokeExact(allocator);
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  private MethodHandle handle() {
    MethodHandle handle = linked;
    if (handle == null) {
      handle = Linker.nativeLinker().downcallHandle(address, shape);
      linked = handle;
    }
    return handle;
  }

  /** Native code throws nothing that Java could see. */
  private static RuntimeException unexpected(Throwable thrown) {
    if (thrown instanceof Error error) {
      throw error;
    }
    return thrown instanceof RuntimeException e ? e : new IllegalStateException(thrown);
  }
}
