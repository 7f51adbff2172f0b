// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/target/cpu/FillSection.h"

#include "llvm/Object/ELF.h"
#include "llvm/Support/MathExtras.h"
#include "llvm/Support/raw_ostream.h"

#include <vector>

using namespace llvm;
using namespace vae;

using ELFFile = object::ELF64LEFile;

namespace {
/// The file being made: its headers, and where its parts go. The input has
/// [0, gap) before the section and [next, end) after it.
class Filler {
public:
  explicit Filler(StringRef elf) : elf(elf) {}

  Error read(StringRef name);
  Error place();
  Error write(function_ref<void(raw_ostream &)> writeBytes, raw_ostream &out);

private:
  Error findSection(const ELFFile &file, StringRef name);
  Error findNext();
  /// Bytes that a section has in the input.
  static uint64_t bytesOf(const ELFFile::Elf_Shdr &section) {
    return section.sh_type == ELF::SHT_NOBITS ? 0 : uint64_t(section.sh_size);
  }
  /// Whether a section comes after the one to fill in the file. Headers of
  /// relocatable files need not be in that order.
  bool isAfter(size_t other) const {
    uint64_t offset = sections[other].sh_offset;
    return offset > gap || (offset == gap && other != index &&
                            (bytesOf(sections[other]) || other > index));
  }

  StringRef elf;
  ELFFile::Elf_Ehdr header;
  std::vector<ELFFile::Elf_Phdr> segments;
  std::vector<ELFFile::Elf_Shdr> sections;
  size_t index = 0; // of the section
  uint64_t gap = 0, next = 0, begin = 0, shift = 0;
};
} // namespace

Error Filler::findSection(const ELFFile &file, StringRef name) {
  for (size_t i = 0; i < sections.size(); ++i) {
    auto known = file.getSectionName(sections[i]);
    if (!known)
      return known.takeError();
    if (*known != name)
      continue;
    if (index)
      return createStringError("there are two sections " + name);
    index = i;
  }
  if (!index)
    return createStringError("there is no section " + name);
  if (sections[index].sh_type != ELF::SHT_NOBITS)
    return createStringError("the section " + name + " has bytes already");
  return Error::success();
}

Error Filler::findNext() {
  gap = sections[index].sh_offset;
  next = header.e_shoff;
  for (size_t i = 1; i < sections.size(); ++i) {
    uint64_t offset = sections[i].sh_offset, bytes = bytesOf(sections[i]);
    if (isAfter(i) && bytes)
      next = std::min(next, offset);
    if (!isAfter(i) && offset + bytes > gap)
      return createStringError("sections lie around the place of the section");
  }
  if (gap < sizeof(header) || next < gap || header.e_phoff > gap ||
      header.e_shoff + sections.size() * sizeof(sections[0]) > elf.size())
    return createStringError("the headers are not around the sections");
  return Error::success();
}

Error Filler::read(StringRef name) {
  auto file = ELFFile::create(elf);
  if (!file)
    return file.takeError();
  header = file->getHeader();
  auto programHeaders = file->program_headers();
  if (!programHeaders)
    return programHeaders.takeError();
  segments.assign(programHeaders->begin(), programHeaders->end());
  auto sectionHeaders = file->sections();
  if (!sectionHeaders)
    return sectionHeaders.takeError();
  sections.assign(sectionHeaders->begin(), sectionHeaders->end());
  if (Error error = findSection(*file, name))
    return error;
  return findNext();
}

/// Finds where the section begins, and how far what follows it moves: a
/// multiple of every alignment, so that offsets still suit addresses.
Error Filler::place() {
  ELFFile::Elf_Shdr &section = sections[index];
  uint64_t alignment = 8; // of headers
  begin = alignTo(gap, std::max<uint64_t>(1, section.sh_addralign));
  bool loaded = segments.empty();
  for (ELFFile::Elf_Phdr &segment : segments) {
    if (segment.p_type != ELF::PT_LOAD)
      continue;
    alignment = std::max<uint64_t>(alignment, segment.p_align);
    uint64_t offset = section.sh_addr - segment.p_vaddr;
    if (section.sh_addr < segment.p_vaddr || offset >= segment.p_memsz)
      continue;
    if (offset + section.sh_size != segment.p_memsz)
      return createStringError("the section is not the last of its segment");
    begin = segment.p_offset + offset;
    segment.p_filesz = segment.p_memsz;
    loaded = true;
  }
  if (!loaded || begin < gap)
    return createStringError("no segment has room for the section");
  std::vector<ELFFile::Elf_Shdr *> after;
  for (size_t i = 1; i < sections.size(); ++i) {
    if (!isAfter(i))
      continue;
    after.push_back(&sections[i]);
    alignment = std::max<uint64_t>(alignment, sections[i].sh_addralign);
  }
  uint64_t end = begin + section.sh_size;
  shift = end > next ? alignTo(end - next, alignment) : 0;

  section.sh_type = ELF::SHT_PROGBITS;
  section.sh_offset = begin;
  for (ELFFile::Elf_Shdr *other : after)
    other->sh_offset = other->sh_offset + shift;
  for (ELFFile::Elf_Phdr &segment : segments)
    if (segment.p_offset >= gap)
      segment.p_offset = segment.p_offset + shift;
  header.e_shoff = header.e_shoff + shift;
  return Error::success();
}

template <typename T>
static void writeArray(const T *data, size_t count, raw_ostream &out) {
  out.write(reinterpret_cast<const char *>(data), count * sizeof(T));
}

Error Filler::write(function_ref<void(raw_ostream &)> writeBytes,
                    raw_ostream &out) {
  uint64_t start = out.tell();
  auto position = [&] { return out.tell() - start; };
  auto copyTo = [&](uint64_t end) { // up to an offset of the input's
    uint64_t from = position() < begin ? position() : position() - shift;
    out << elf.slice(from, end);
  };
  writeArray(&header, 1, out);
  if (!segments.empty()) {
    copyTo(header.e_phoff);
    writeArray(segments.data(), segments.size(), out);
  }
  copyTo(gap);
  out.write_zeros(begin - position());
  writeBytes(out);
  if (position() != begin + sections[index].sh_size)
    return createStringError("the section got another number of bytes");
  out.write_zeros(next + shift - position());
  copyTo(header.e_shoff - shift);
  writeArray(sections.data(), sections.size(), out);
  copyTo(elf.size());
  return Error::success();
}

Error vae::fillSection(StringRef elf, StringRef name,
                       function_ref<void(raw_ostream &)> writeBytes,
                       raw_ostream &out) {
  Filler filler(elf);
  if (Error error = filler.read(name))
    return error;
  if (Error error = filler.place())
    return error;
  return filler.write(writeBytes, out);
}
