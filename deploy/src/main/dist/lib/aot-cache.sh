# aot_cache INSTALL JDK CLASS_PATH prints the path of the ahead-of-time cache, and makes it first if
# need be: one run of "cloister prepare" in which the JVM records the classes that a start takes.
# It fits one JDK and one installation only. CLOISTER_AOT=off does without.
aot_cache() {
  [ "${CLOISTER_AOT:-on}" = off ] && return 0
  build=$(sed -n 's/^IMPLEMENTOR_VERSION="\(.*\)"/\1/p; s/^JAVA_VERSION="\(.*\)"/\1/p; s/^JAVA_RUNTIME_VERSION="\(.*\)"/\1/p' "$2/release" | tr -c 'A-Za-z0-9.\n' '-' | tr '\n' '-')
  cache=$1/lib/cloister-$build.aot
  if [ ! -r "$cache" ]; then
    [ -w "$1/lib" ] || return 0
    # Left by a start that was killed.
    find "$1/lib/.aot-lock" -prune -mmin +10 -exec rmdir {} \; 2>/dev/null || true
    # One at a time: a second start does without rather than wait.
    mkdir "$1/lib/.aot-lock" 2>/dev/null || return 0
    echo "preparing faster starts (once)" >&2
    if "$2/bin/java" "@$1/lib/jvm.options" -XX:TieredStopAtLevel=1 -XX:-AOTClassLinking \
      -Xlog:aot=off -Xlog:cds=off "-XX:AOTCacheOutput=$cache.new" \
      "-Dcloister.install=$1" -cp "$3" dev.cloister.cli.Main prepare >/dev/null 2>"$1/lib/.aot-log" &&
      # A cache that was cut short, by a full disk say, would trouble every later start.
      "$2/bin/java" "@$1/lib/jvm.options" -XX:AOTMode=on "-XX:AOTCache=$cache.new" \
        "-Dcloister.install=$1" -cp "$3" dev.cloister.cli.Main version >/dev/null 2>>"$1/lib/.aot-log"; then
      mv "$cache.new" "$cache"
      rm -f "$1/lib/.aot-log"
    else
      rm -f "$cache.new"
    fi
    rmdir "$1/lib/.aot-lock"
  fi
  [ -r "$cache" ] && echo "$cache"
}
