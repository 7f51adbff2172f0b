// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The weights as a file, and their place as a relocatable object.
#include "compiler/conversion/Conversion.h"
#include "compiler/target/cpu/Codegen.h"
#include "compiler/target/cpu/WeightsSection.h"
#include "dialects/vae/IR/VaeConstants.h"
#include "llvm/BinaryFormat/ELF.h"
#include "llvm/Support/MathExtras.h"
#include "llvm/Support/raw_ostream.h"
#include "llvm/TargetParser/Triple.h"

using namespace llvm;
using namespace vae;

/// Calls body(offset, values) for every tensor, in the order of offsets.
static void
forEachWeight(mlir::ModuleOp module,
              function_ref<void(uint64_t, mlir::ElementsAttr)> body) {
  for (mlir::Attribute entry :
       module->getAttrOfType<mlir::ArrayAttr>(kWeightsAttr)) {
    auto weight = cast<mlir::DictionaryAttr>(entry);
    body(weight.getAs<mlir::IntegerAttr>("offset").getInt(),
         weight.getAs<mlir::ElementsAttr>("value"));
  }
}

// Never empty, and a vector may be read from the end.
uint64_t vae::getWeightsSize(mlir::ModuleOp module) {
  uint64_t size = 0;
  forEachWeight(module, [&](uint64_t offset, mlir::ElementsAttr value) {
    size = offset + getBytes(value).size();
  });
  return size + 64;
}

void vae::writeWeights(mlir::ModuleOp module, raw_ostream &out) {
  uint64_t written = 0;
  forEachWeight(module, [&](uint64_t offset, mlir::ElementsAttr value) {
    out.write_zeros(offset - written);
    ArrayRef<char> bytes = getBytes(value);
    out.write(bytes.data(), bytes.size());
    written = offset + bytes.size();
  });
  out.write_zeros(getWeightsSize(module) - written);
}

namespace {
/// A string table: names, each with its offset.
struct Strings {
  std::string bytes = std::string(1, '\0');
  uint32_t add(StringRef name) {
    uint32_t offset = bytes.size();
    bytes += name;
    bytes += '\0';
    return offset;
  }
};
} // namespace

template <typename T>
static void writeRecord(const T &record, raw_ostream &out) {
  out.write(reinterpret_cast<const char *>(&record), sizeof(record));
}

void vae::writeWeightsPlaceholder(uint64_t size, const Cpu &cpu,
                                  raw_ostream &out) {
  enum { kNull, kWeights, kSymbols, kStrings, kNames, kNumSections };
  Strings strings, names;
  ELF::Elf64_Sym symbols[2] = {};
  symbols[1].st_name = strings.add(kWeightsSymbol);
  symbols[1].setBindingAndType(ELF::STB_GLOBAL, ELF::STT_OBJECT);
  symbols[1].st_other = ELF::STV_HIDDEN;
  symbols[1].st_shndx = kWeights;
  symbols[1].st_size = size;

  ELF::Elf64_Shdr sections[kNumSections] = {};
  uint64_t end = sizeof(ELF::Elf64_Ehdr);
  auto place = [&](unsigned index, StringRef name, uint32_t type,
                   uint64_t bytes, uint64_t alignment) {
    ELF::Elf64_Shdr &section = sections[index];
    section.sh_name = names.add(name);
    section.sh_type = type;
    section.sh_offset = end = alignTo(end, 8);
    section.sh_size = bytes;
    section.sh_addralign = alignment;
    end += type == ELF::SHT_NOBITS ? 0 : bytes;
  };
  place(kWeights, kWeightsSection, ELF::SHT_NOBITS, size, kWeightsAlignment);
  sections[kWeights].sh_flags = ELF::SHF_ALLOC;
  place(kSymbols, ".symtab", ELF::SHT_SYMTAB, sizeof(symbols), 8);
  sections[kSymbols].sh_link = kStrings;
  sections[kSymbols].sh_info = 1; // the first symbol that is not local
  sections[kSymbols].sh_entsize = sizeof(ELF::Elf64_Sym);
  place(kStrings, ".strtab", ELF::SHT_STRTAB, strings.bytes.size(), 1);
  place(kNames, ".shstrtab", ELF::SHT_STRTAB, 0, 1);
  sections[kNames].sh_size = names.bytes.size();
  end += names.bytes.size();

  ELF::Elf64_Ehdr header = {};
  std::copy_n(ELF::ElfMagic, 4, header.e_ident);
  header.e_ident[ELF::EI_CLASS] = ELF::ELFCLASS64;
  header.e_ident[ELF::EI_DATA] = ELF::ELFDATA2LSB;
  header.e_ident[ELF::EI_VERSION] = ELF::EV_CURRENT;
  header.e_type = ELF::ET_REL;
  header.e_machine =
      Triple(cpu.triple).isAArch64() ? ELF::EM_AARCH64 : ELF::EM_X86_64;
  header.e_version = ELF::EV_CURRENT;
  header.e_shoff = alignTo(end, 8);
  header.e_ehsize = sizeof(header);
  header.e_shentsize = sizeof(ELF::Elf64_Shdr);
  header.e_shnum = kNumSections;
  header.e_shstrndx = kNames;

  uint64_t start = out.tell();
  auto padTo = [&](uint64_t offset) {
    out.write_zeros(start + offset - out.tell());
  };
  writeRecord(header, out);
  padTo(sections[kSymbols].sh_offset);
  writeRecord(symbols, out);
  padTo(sections[kStrings].sh_offset);
  out << strings.bytes;
  padTo(sections[kNames].sh_offset);
  out << names.bytes;
  padTo(header.e_shoff);
  writeRecord(sections, out);
}
