use super::{Definition, ImportSchedule};

crate::event::events! {
    /// What happens to an application.
    ApplicationEvent {
        /// It was made.
        ApplicationCreated("1.0") { definition: Definition }
        /// Its definition was replaced.
        ApplicationUpdated("1.0") { definition: Definition }
        /// It was taken out of use.
        ApplicationArchived("1.0") {}
        /// Its import schedule was set or replaced.
        ImportScheduleSet("1.0") { schedule: ImportSchedule }
    }
}
