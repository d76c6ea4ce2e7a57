package dev.cloister.client;

import static org.assertj.core.api.Assertions.assertThat;

import dev.cloister.client.admin.Administration;
import java.io.IOException;
import java.lang.reflect.Constructor;
import java.lang.reflect.Executable;
import java.lang.reflect.Field;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** What this library is built on is nobody else's business. */
class PublicApiTest {
  private static final List<String> INTERNAL =
      List.of("io.grpc.", "io.netty.", "com.google.protobuf.", "dev.cloister.proto.");

  @Test
  void noSignatureShowsWhatIsUnderneath() throws Exception {
    List<String> signatures = new ArrayList<>();
    for (Class<?> type : publicTypes()) {
      signatures.add(type.toGenericString());
      for (Constructor<?> each : type.getDeclaredConstructors()) {
        add(signatures, each);
      }
      for (Method each : type.getDeclaredMethods()) {
        add(signatures, each);
      }
      for (Field each : type.getDeclaredFields()) {
        if (isVisible(each.getModifiers())) {
          signatures.add(each.toGenericString());
        }
      }
    }
    assertThat(signatures)
        .hasSizeGreaterThan(50)
        .noneMatch(signature -> INTERNAL.stream().anyMatch(signature::contains));
  }

  private static void add(List<String> signatures, Executable each) {
    if (isVisible(each.getModifiers()) && !each.isSynthetic()) {
      signatures.add(each.toGenericString());
    }
  }

  private static boolean isVisible(int modifiers) {
    return Modifier.isPublic(modifiers) || Modifier.isProtected(modifiers);
  }

  private static List<Class<?>> publicTypes()
      throws IOException, URISyntaxException, ClassNotFoundException {
    Path root =
        Path.of(CloisterClient.class.getProtectionDomain().getCodeSource().getLocation().toURI());
    List<Class<?>> types = new ArrayList<>();
    try (Stream<Path> files = Files.walk(root)) {
      for (Path file : files.filter(each -> each.toString().endsWith(".class")).toList()) {
        String name =
            root.relativize(file).toString().replace(file.getFileSystem().getSeparator(), ".");
        Class<?> type = Class.forName(name.substring(0, name.length() - ".class".length()));
        if (Modifier.isPublic(type.getModifiers())) {
          types.add(type);
        }
      }
    }
    assertThat(types).contains(CloisterClient.class, Administration.class);
    return types;
  }
}
