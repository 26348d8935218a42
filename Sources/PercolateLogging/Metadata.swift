#if Logging
    public import Logging
    public import Percolate

    extension HeapStatistics {
        /// What a line of a log says of a heap.
        public var loggerMetadata: Logger.Metadata {
            [
                "application_bytes": "\(process.applicationBytes)",
                "in_use_bytes": "\(process.inUseBytes)",
                "free_resident_bytes": "\(process.freeResidentBytes)",
                "resident_bytes": "\(process.residentBytes)",
            ]
        }
    }

    extension AllocationError {
        /// Why an allocation did not happen, and the number that was asked for.
        public var loggerMetadata: Logger.Metadata {
            switch self {
            case .outOfMemory(let byteCount):
                ["reason": "out of memory", "byte_count": "\(byteCount)"]
            case .negativeCount(let count): ["reason": "negative count", "count": "\(count)"]
            case .invalidAlignment(let alignment):
                ["reason": "invalid alignment", "alignment": "\(alignment)"]
            }
        }
    }
#endif
