# find_jdk prints the home of a JDK 25 or newer: CLOISTER_JAVA_HOME, JAVA_HOME, the java on the PATH,
# then the usual places. It reads each JDK's release file rather than start it.

jdk_version() {
  [ -x "$1/bin/java" ] && [ -r "$1/release" ] || return 1
  sed -n 's/^JAVA_VERSION="\([0-9]*\).*/\1/p' "$1/release"
}

is_jdk_25() {
  [ -n "${1:-}" ] && version=$(jdk_version "$1") && [ -n "$version" ] && [ "$version" -ge 25 ]
}

find_jdk() {
  for candidate in "${CLOISTER_JAVA_HOME:-}" "${JAVA_HOME:-}"; do
    if is_jdk_25 "$candidate"; then
      echo "$candidate"
      return 0
    fi
  done
  on_path=$(command -v java || true)
  if [ -n "$on_path" ]; then
    on_path=$(readlink -f "$on_path" 2>/dev/null || echo "$on_path")
    candidate=${on_path%/bin/java}
    if is_jdk_25 "$candidate"; then
      echo "$candidate"
      return 0
    fi
  fi
  for candidate in \
    /usr/lib/jvm/* /opt/java/* /opt/jdk* /usr/java/* \
    "$HOME"/.sdkman/candidates/java/* "$HOME"/.jdks/* "$HOME"/.asdf/installs/java/* \
    /Library/Java/JavaVirtualMachines/*/Contents/Home \
    "$HOME"/Library/Java/JavaVirtualMachines/*/Contents/Home; do
    if is_jdk_25 "$candidate"; then
      echo "$candidate"
      return 0
    fi
  done
  return 1
}
