/** What administrators do: admit members and hand out API keys. */
package dev.cloister.client.admin;
