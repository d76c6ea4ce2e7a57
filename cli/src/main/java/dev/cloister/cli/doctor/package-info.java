/**
 * {@code cloister doctor}: what this machine is and what it can do; start at {@link
 * dev.cloister.cli.doctor.DoctorCommand}.
 */
package dev.cloister.cli.doctor;
