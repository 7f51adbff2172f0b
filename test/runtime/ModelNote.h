/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * The note of a model library that is written by hand. */
#ifndef VAE_TEST_MODELNOTE_H
#define VAE_TEST_MODELNOTE_H

/* text: JSON, its quotation marks escaped for the assembler. */
#define VAE_TEST_NOTE(text)                                                    \
  __asm__(".pushsection .note.vae,\"a\",%note\n"                               \
          ".balign 4\n"                                                        \
          ".long 4\n"                                                          \
          ".long 2f - 1f\n"                                                    \
          ".long 1\n"                                                          \
          ".asciz \"vae\"\n"                                                   \
          "1: .ascii \"" text "\"\n"                                           \
          "2: .balign 4\n"                                                     \
          ".popsection\n")

#endif /* VAE_TEST_MODELNOTE_H */
