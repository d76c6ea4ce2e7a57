#!/bin/sh
# Writes what a base image for tests is built of to standard output, as a tar archive: the Java
# runtime of JAVA_HOME, busybox, and the shared libraries that they and llama.cpp need. It takes the
# place of a public base image, so that the tests need no registry.
set -eu

context=$(mktemp -d)
trap 'rm -rf "$context"' EXIT
root=$context/root

printf 'FROM scratch\nCOPY root /\n' >"$context/Dockerfile"
mkdir -p "$root/bin" "$root/etc" "$root/opt/java" "$root/root" "$root/usr/lib" "$root/var/lib"
mkdir -m 1777 "$root/tmp"
echo 'root:x:0:0:root:/root:/bin/sh' >"$root/etc/passwd"
echo 'root:x:0:' >"$root/etc/group"
echo 'hosts: files dns' >"$root/etc/nsswitch.conf"

busybox=$(command -v busybox)
cp "$busybox" "$root/bin/busybox"
for applet in $("$busybox" --list); do
  [ "$applet" = busybox ] || ln -s busybox "$root/bin/$applet"
done

"$JAVA_HOME/bin/jlink" --output "$root/opt/java/openjdk" --strip-debug --no-header-files \
  --no-man-pages --add-modules java.se,jdk.management,jdk.net,jdk.unsupported,jdk.zipfs

# Where each was found, so that the loader finds it there; the names end up below /lib or /lib64.
libraries() {
  ldd "$busybox" "$root/opt/java/openjdk/bin/java" "$root/opt/java/openjdk/lib/libnio.so" \
    "$root/opt/java/openjdk/lib/server/libjvm.so" | sed -n 's/.*=> \(\/[^ ]*\) .*/\1/p; s/^[[:space:]]*\(\/[^ ]*\) (.*/\1/p'
  for name in libgomp.so.1 libstdc++.so.6 libgcc_s.so.1 libresolv.so.2 libnss_dns.so.2 libnss_files.so.2; do
    /sbin/ldconfig -p | sed -n "s/^[[:space:]]*$name (libc6,.*=> //p" | head -n 1
  done
}
libraries | sort -u | while read -r library; do
  case $library in
    "$root"*) ;;
    *)
      mkdir -p "$root${library%/*}"
      cp -L "$library" "$root$library"
      ;;
  esac
done

tar -C "$context" -c Dockerfile root
