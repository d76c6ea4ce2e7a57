/**
 * The llama.cpp builds an engine can run with, and how one gets onto this machine.
 *
 * <p>One comes with Cloister, inside java-llama.cpp's jar. Newer ones, for graphics cards too, are
 * fetched by whoever runs the machine: {@link dev.cloister.engine.library.LibraryCatalog} pins what
 * may be fetched, {@link dev.cloister.engine.library.LibraryInstaller} fetches it from an npm
 * registry into the library cache, {@link dev.cloister.engine.library.InstalledLibraries} says what
 * is there and which fits this {@link dev.cloister.engine.library.Machine} best. Nothing here loads
 * native code.
 *
 * <p>Start with {@link dev.cloister.engine.library.InstalledLibraries}.
 */
@NullMarked
package dev.cloister.engine.library;

import org.jspecify.annotations.NullMarked;
