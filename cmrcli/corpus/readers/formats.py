"""Which extensions are read, and which are known but not read, with what the user can do about them."""

from __future__ import annotations

_READ = """
jpeg       jpg jpeg jpe jfif mpo
png        png apng
tiff       tif tiff btf tf8
heic       heic heif hif
jpeg2000   jp2 j2k jpc jpf jpx j2c
tga        tga icb vda vst
ppm        pbm pgm ppm pnm
sgi        sgi rgb rgba bw
fli        fli flc
bmp        bmp dib
svg        svg svgz
text       txt text csv tsv
markdown   md markdown mdown mkd
"""
_READ_BY_OWN_NAME = "webp gif avif ico icns pcx dcx dds psd qoi pdf dxf"

_NOT_READ: tuple[tuple[str, str], ...] = (
    ("export it as DXF or PDF", "dwg dwt dgn dwf dwfx jww jwc sfc p21 icd bfo dxb"),
    ("export it as DXF or PDF", "slddrw idw catdrawing drw dft cdr vsd vsdx plt"),
    ("export a drawing or a view of it as PDF, DXF or PNG", "step stp stpz iges igs sldprt sldasm ipt iam"),
    ("export a drawing or a view of it as PDF, DXF or PNG", "catpart catproduct prt asm par psm x_t x_b sat 3dm skp"),
    ("export a drawing or a view of it as PDF, DXF or PNG", "jt stl obj 3mf gltf glb ply fcstd rvt ifc f3d f3z"),
    ("export a drawing or a view of it as PDF, DXF or PNG", "easm eprt edrw blend max 3ds fbx"),
    ("print or export it as PDF", "doc docx docm rtf odt ott pages wpd jtd jtt xls xlsx xlsm xlsb ods numbers"),
    ("print or export it as PDF", "ppt pptx pptm odp odg key pub one eps ps ai indd xps oxps epub djvu html htm mht"),
    ("print or export it as PDF", "eml msg xdw xbd"),
    ("save it as JPEG, PNG or TIFF", "cr2 cr3 nef arw orf raf rw2 dng exr hdr xcf wmf emf ff jxl jxr wdp pcd cal cals"),
    ("save single frames as JPEG or PNG", "mp4 mov avi mkv wmv m4v webm mpg mpeg mts"),
    ("unpack it beside the archive", "zip 7z rar lzh tar gz tgz bz2 xz cab"),
)

FORMATS: dict[str, str] = {
    **{extension: name for name, *extensions in map(str.split, _READ.split("\n")[1:-1]) for extension in extensions},
    **{name: name for name in _READ_BY_OWN_NAME.split()},
}
"""Extension, lower case without the dot -> format."""

UNSUPPORTED: dict[str, str] = {
    extension: advice for advice, extensions in _NOT_READ for extension in extensions.split()
}
"""Extension -> what the user can do."""
