# aot_cache INSTALL JDK CLASS_PATH prints the path of the ahead-of-time cache, if there is one.
aot_cache() {
  [ "${CLOISTER_AOT:-on}" = off ] && return 0
  [ -r "$1/lib/cloister.aot" ] && echo "$1/lib/cloister.aot"
}
