<#-- Becomes THIRD-PARTY.txt; the license-maven-plugin hands over what is shipped, by licence. -->
What others wrote of this distribution
======================================

Cloister itself is under the Apache License 2.0, whose text is in LICENSE. The archives in lib that
are named below were written by others and are shipped as they were published, but for the
signatures of Bouncy Castle's, which are left out. Each is under the licence it is listed with; one
that is listed more than once may be used under any of them. Their sources are at the addresses
named, and beside the archives on Maven Central.

<#list licenseMap as entry>
${entry.getKey()}
<#list entry.getValue() as project>
  ${project.groupId}:${project.artifactId}:${project.version} (${project.url!"no address"})
</#list>

</#list>
Remarks
-------

JMH (org.openjdk.jmh:jmh-core) is used by "cloister bench route" and by nothing else. It is shipped
unmodified; the text of its licence is the file LICENSE in the archive.

The archive de.kherud:llama holds native libraries for several systems, built from java-llama.cpp
(Copyright (c) 2023 Konstantin Herud), llama.cpp b4916 (Copyright (c) 2023-2024 The ggml authors),
JSON for Modern C++ (Copyright (c) 2013-2025 Niels Lohmann) and minja (Copyright 2024 Google LLC),
all under the MIT License:

  Permission is hereby granted, free of charge, to any person obtaining a copy of this software and
  associated documentation files (the "Software"), to deal in the Software without restriction,
  including without limitation the rights to use, copy, modify, merge, publish, distribute,
  sublicense, and/or sell copies of the Software, and to permit persons to whom the Software is
  furnished to do so, subject to the following conditions:

  The above copyright notice and this permission notice shall be included in all copies or
  substantial portions of the Software.

  THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT
  NOT LIMITED TO THE WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND
  NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM,
  DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM, OUT
  OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.
