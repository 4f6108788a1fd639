"""Generated documents: PDF, structured report, ECG, video, presentation state, key images."""

from typing import Any

import numpy as np
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate
from pydicom.sequence import Sequence

from tests.unit.imaging.dicom_files import ROOT, dataset, part10

CLASSES = "1.2.840.10008.5.1.4.1.1."
PDF = b"%PDF-1.7\nhello\n%%EOF\n"
H264 = "1.2.840.10008.1.2.4.102"


def item(**elements: Any) -> Dataset:
    made = Dataset()
    for keyword, value in elements.items():
        setattr(made, keyword, value)
    return made


def code(value: str, meaning: str) -> Sequence:
    return Sequence([item(CodeValue=value, CodingSchemeDesignator="DCM", CodeMeaning=meaning)])


def document(sop_class: str, number: int, **elements: Any) -> Dataset:
    uid = f"{ROOT}.7"
    return dataset(None, number, SOPClassUID=CLASSES + sop_class, SeriesInstanceUID=uid, **elements)


def pdf(content: bytes = PDF, number: int = 70) -> bytes:
    padded = content + b"\0" * (len(content) % 2)
    return part10(
        document("104.1", number, DocumentTitle="出院小结", EncapsulatedDocument=padded, SpecificCharacterSet="GB18030",
                 EncapsulatedDocumentLength=len(content), MIMETypeOfEncapsulatedDocument="application/pdf")
    )  # fmt: skip


def report(content: list[Dataset], number: int = 71) -> bytes:
    return part10(
        document("88.33", number, Modality="SR", SpecificCharacterSet="ISO_IR 192", ContentSequence=content,
                 ConceptNameCodeSequence=code("126000", "Imaging Measurement Report"), ContentDate="20261124",
                 VerificationFlag="VERIFIED", CompletionFlag="COMPLETE")
    )  # fmt: skip


def said(text: str) -> Dataset:
    return item(ValueType="TEXT", ConceptNameCodeSequence=code("121071", "Finding"), TextValue=text)


def measured(value: str, unit: str) -> Dataset:
    units = Sequence([item(CodeValue=unit, CodeMeaning=unit)])
    number = Sequence([item(NumericValue=value, MeasurementUnitsCodeSequence=units)])
    return item(
        ValueType="NUM", ConceptNameCodeSequence=code("G-D7FE", "Length"), MeasuredValueSequence=number
    )


def ecg(values: np.ndarray, rate: float = 500, number: int = 72, **group: Any) -> bytes:
    """`values` (samples, channels) of 16 bits in units of 5 µV."""
    units = Sequence([item(CodeValue="uV", CodeMeaning="microvolt")])
    channels = [
        item(ChannelSourceSequence=code("2:1", f"Lead {index + 1}"), ChannelSensitivity="5", ChannelBaseline="0",
             ChannelSensitivityUnitsSequence=units, ChannelSensitivityCorrectionFactor="1", WaveformBitsStored=16)
        for index in range(values.shape[1])
    ]  # fmt: skip
    strip = item(
        NumberOfWaveformChannels=values.shape[1], NumberOfWaveformSamples=values.shape[0], SamplingFrequency=str(rate),
        MultiplexGroupLabel="RHYTHM", ChannelDefinitionSequence=channels, WaveformBitsAllocated=16,
        WaveformSampleInterpretation="SS", WaveformData=values.astype("<i2").tobytes(),
    )  # fmt: skip
    for keyword, value in group.items():
        setattr(strip, keyword, value)
    strip["WaveformData"].VR = "OW"
    return part10(document("9.1.1", number, Modality="ECG", WaveformSequence=[strip]))


def video(content: bytes, number: int = 73, pieces: int = 2) -> bytes:
    made = document("77.1.4.1", number, Modality="XC", Rows=8, Columns=8, SamplesPerPixel=3, BitsAllocated=8,
                    BitsStored=8, PhotometricInterpretation="YBR_PARTIAL_420", NumberOfFrames=25)  # fmt: skip
    made.PixelData = encapsulate([content], fragments_per_frame=pieces, has_bot=False)
    return part10(made, H264)


def reference(number: int, *frames: int) -> Dataset:
    made = item(ReferencedSOPClassUID=CLASSES + "2", ReferencedSOPInstanceUID=f"{ROOT}.3.{number}")
    if frames:
        made.ReferencedFrameNumber = list(frames)
    return made


def presentation(number: int = 74, references: int = 2, **elements: Any) -> Dataset:
    """A state for instances 1 to `references` of the samples' series."""
    images = [reference(index + 1) for index in range(references)]
    series = item(SeriesInstanceUID=f"{ROOT}.2", ReferencedImageSequence=images)
    return document(
        "11.1", number, Modality="PR", ContentLabel="LUNG", ReferencedSeriesSequence=[series], **elements
    )


def key_objects(numbers: list[int], number: int = 75) -> bytes:
    content = [
        item(
            ValueType="TEXT",
            ConceptNameCodeSequence=code("113012", "Key Object Description"),
            TextValue="见结节",
        )
    ] + [item(ValueType="IMAGE", ReferencedSOPSequence=[reference(index)]) for index in numbers]
    return part10(
        document("88.59", number, Modality="KO", SpecificCharacterSet="ISO_IR 192", ContentSequence=content,
                 ConceptNameCodeSequence=code("113000", "Of Interest"))
    )  # fmt: skip
