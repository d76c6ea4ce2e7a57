package dev.cloister.agent.fingerprint;

import dev.cloister.agent.fingerprint.host.Host;
import dev.cloister.agent.fingerprint.host.LinkAddresses;
import dev.cloister.agent.fingerprint.host.Probe;
import java.util.List;
import java.util.Locale;
import java.util.function.Function;
import java.util.regex.Pattern;

/**
 * The links to other machines: neither loopback, nor down, nor an interface that only joins
 * containers, virtual machines or a tunnel on this one.
 */
final class NetworkProbe implements Probe<List<NetworkLink>> {

  /**
   * By name, for a container's own {@code eth0} is a virtual device too and yet its only link.
   * Linux: systemd.net-naming-scheme, Docker, Podman, libvirt, Kubernetes. macOS: utun, AWDL.
   */
  private static final Pattern VIRTUAL =
      Pattern.compile(
          "(lo\\d*|docker\\d+|docker_gwbridge|veth.*|br-.*|br\\d+|bridge\\d+|virbr.*|vnet\\d+"
              + "|vmnet\\d+|lxc.*|lxdbr\\d+|podman\\d+|cni.*|cali.*|flannel.*|cilium.*|kube-.*"
              + "|tun\\d+|tap\\d+|utun\\d+|wg.*|tailscale\\d+|zt.*|dummy\\d+|ifb\\d+|sit\\d+"
              + "|gre\\d+|ip6tnl\\d+|awdl\\d+|llw\\d+|anpi\\d+|ap\\d+|gif\\d+|stf\\d+"
              + "|vethernet.*)");

  private final Host host;

  private final Function<String, LinkAddresses> addresses;

  NetworkProbe(Host host, Function<String, LinkAddresses> addresses) {
    this.host = host;
    this.addresses = addresses;
  }

  @Override
  public List<NetworkLink> probe() throws Exception {
    return host.interfaces().stream()
        .filter(Host.Interface::up)
        .filter(link -> !VIRTUAL.matcher(link.name().toLowerCase(Locale.ROOT)).matches())
        .map(this::link)
        .toList();
  }

  private NetworkLink link(Host.Interface link) {
    LinkAddresses own = addresses.apply(link.name());
    return new NetworkLink(
        link.name(),
        Math.max(0, link.speedBitsPerSecond()),
        link.wireless(),
        own.hardware(),
        own.broadcast());
  }
}
