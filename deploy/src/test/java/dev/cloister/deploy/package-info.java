/**
 * What is installed, tested as it is installed: {@link dev.cloister.deploy.LauncherIT} runs the
 * distribution's launcher, {@link dev.cloister.deploy.ContainerClusterIT} the container image.
 */
@NullMarked
package dev.cloister.deploy;

import org.jspecify.annotations.NullMarked;
